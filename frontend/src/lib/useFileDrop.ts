import { useEffect, useEffectEvent, useRef, useState } from 'react';

/** True while files are dragged over the page; what is dropped anywhere on it goes to `onFiles`. */
export function useFileDrop(onFiles: (files: readonly File[]) => void): boolean {
  const [isOver, setIsOver] = useState(false);
  // Entering a child fires before leaving its parent: only the balance tells whether the page was left.
  const depth = useRef(0);
  const deliver = useEffectEvent(onFiles);

  useEffect(() => {
    const stop = new AbortController();
    const on = (type: 'dragenter' | 'dragover' | 'dragleave' | 'drop', change: number, then?: (transfer: DataTransfer) => void) =>
      window.addEventListener(
        type,
        (event) => {
          if (!event.dataTransfer?.types.includes('Files')) return;
          event.preventDefault();
          depth.current = type === 'drop' ? 0 : Math.max(0, depth.current + change);
          setIsOver(depth.current > 0);
          then?.(event.dataTransfer);
        },
        { signal: stop.signal },
      );
    on('dragenter', 1);
    on('dragover', 0);
    on('dragleave', -1);
    on('drop', 0, (transfer) => deliver([...transfer.files]));
    return () => {
      stop.abort();
      depth.current = 0;
      setIsOver(false);
    };
  }, []);

  return isOver;
}
