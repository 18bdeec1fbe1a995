/** Gives the focus back to what had it before a dialog, and to the page's content if that vanishes, as with the row that was deleted. */
export function returnFocus(to: Element | null): void {
  if (!(to instanceof HTMLElement)) return;
  to.focus();
  const watch = new MutationObserver(() => {
    const isElsewhere = document.activeElement !== to && document.activeElement !== document.body;
    if (!isElsewhere && to.isConnected) return;
    watch.disconnect();
    if (!isElsewhere) document.getElementById('main')?.focus({ preventScroll: true });
  });
  watch.observe(document.body, { childList: true, subtree: true });
}
