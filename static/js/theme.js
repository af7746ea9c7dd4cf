// Before anything is painted: the visitor's own choice of light or dark, if there is one.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is off: the system's choice holds.
}
document.documentElement.classList.add("has-script");
