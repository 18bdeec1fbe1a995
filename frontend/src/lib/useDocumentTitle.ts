import { useEffect } from 'react';

/** Names the page in the browser's tab: "Models · credit · Headrace". */
export function useDocumentTitle(...parts: string[]): void {
  const title = [...parts, 'Headrace'].join(' · ');
  useEffect(() => {
    document.title = title;
  }, [title]);
}
