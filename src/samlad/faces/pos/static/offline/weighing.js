/* How much there is of what is sold by weight, length or volume, where no code says it. */

import { OPTIONS, PRICE, TITLE, soldBy } from "./goods.js";
import * as panel from "./panel.js";
import { money, perText, say, typedMeasure, unitOf } from "./screen.js";
import { MOST } from "./ticket.js";

/* Asks what the scale shows and what the packaging weighs; `take` gets what is left, in thousandths. */
export function weigh(till, row, take, { isWrong = false } = {}) {
  const unit = unitOf(soldBy(row));
  panel.open({
    title: [row[TITLE], row[OPTIONS]].filter(Boolean).join(", "),
    note: [`${money(row[PRICE])}${perText(soldBy(row))}`, isWrong && say("weigh-wrong-digit")].filter(Boolean).join(" · "),
    fields: [
      { name: "gross", label: say(unit === "kg" ? "weigh-gross" : "weigh-how-much", { unit }), mode: "decimal" },
      { name: "tare", label: say("weigh-tare", { unit }), mode: "decimal" },
    ],
    label: say("weigh-take"),
    act: async ({ gross, tare }) => {
      const all = typedMeasure(gross), less = tare ? typedMeasure(tare) : 0;
      if (!all || less === null || less >= all || all - less > MOST) return say("weigh-wrong", { unit });
      await take(all - less);
    },
  });
}
