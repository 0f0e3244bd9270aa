// Gives the viewer of the HTTP reference our colours and fonts, and its requests the token of the signed-in reader.
const viewer = document.querySelector("rapi-doc");
const dark = matchMedia("(prefers-color-scheme: dark)");
const palette = {
  light: { "bg-color": "#ffffff", "text-color": "#13201c", "primary-color": "#0a6353", "nav-bg-color": "#f6f7f6", "nav-text-color": "#13201c", "nav-hover-bg-color": "#e0f1ec", "nav-hover-text-color": "#084f43", "nav-accent-color": "#0a6353" },
  dark: { "bg-color": "#141b19", "text-color": "#e7eeeb", "primary-color": "#45c4a6", "nav-bg-color": "#0d1211", "nav-text-color": "#e7eeeb", "nav-hover-bg-color": "#14312b", "nav-hover-text-color": "#66d4b9", "nav-accent-color": "#45c4a6" },
};

function paint() {
  const theme = document.documentElement.dataset.theme || (dark.matches ? "dark" : "light");
  const style = getComputedStyle(document.documentElement);
  const attributes = { theme, ...palette[theme], "regular-font": style.getPropertyValue("--font").trim(), "mono-font": style.getPropertyValue("--font-mono").trim() };
  for (const [name, value] of Object.entries(attributes)) viewer.setAttribute(name, value);
}

// Beside a list of operations there is room for one; on a phone the list opens them in place.
viewer.setAttribute("render-style", matchMedia("(min-width: 64em)").matches ? "focused" : "view");
paint();
dark.addEventListener("change", paint);
viewer.addEventListener("before-try", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]');
  if (token) event.detail.request.headers.set("X-CSRF-Token", token.content);
});
