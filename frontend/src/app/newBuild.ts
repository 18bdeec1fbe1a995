const KEY = 'headrace.reloaded-for';

/** A tab left open over an upgrade asks for chunks that are gone: reload once, keeping the URL. */
export function reloadOnceAfterNewBuild(): void {
  window.addEventListener('vite:preloadError', (event) => {
    if (sessionStorage.getItem(KEY) === location.href) return;
    sessionStorage.setItem(KEY, location.href);
    event.preventDefault();
    location.reload();
  });
}
