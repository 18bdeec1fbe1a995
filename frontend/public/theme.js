// Sets the theme before the first paint. src/lib/theme.ts keeps it up to date afterwards.
(function () {
  var choice = null;
  try {
    choice = localStorage.getItem('headrace.theme');
  } catch {
    // Storage may be forbidden; the system's preference is a fine answer.
  }
  var dark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
