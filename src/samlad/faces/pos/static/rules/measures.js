/* What quantities count, as `samlad.catalog.model.Measure` has it: pieces, grams, millimetres or millilitres; a price is for one
   piece, or for 1,000 of the others. */

export const perOf = (sold_by = "piece") => (sold_by === "piece" ? 1 : 1_000);

/* How many pieces a quantity is to whoever counts pieces: what is weighed is one. */
export const piecesOf = (sold_by, quantity) => (perOf(sold_by) === 1 ? quantity : Math.sign(quantity));
