import { classes } from '@/lib/classes';

import { CopyButton } from './CopyButton';

/** Text to be pasted elsewhere; long lines scroll beside the button or, with `wrap`, break anywhere. */
export function CodeBlock({ code, label = 'Code', wrap = false }: { code: string; label?: string; wrap?: boolean }) {
  return (
    <div className="relative rounded-control border border-border bg-sunken">
      <pre
        // A region that scrolls must be reachable by keyboard.
        tabIndex={0}
        aria-label={label}
        role="region"
        className={classes('mr-11 overflow-x-auto py-2.5 pl-3 font-mono text-code', wrap ? 'break-all whitespace-pre-wrap' : 'whitespace-pre')}
      >
        <code>{code}</code>
      </pre>
      <div className="absolute top-1.5 right-1.5">
        <CopyButton text={code} />
      </div>
    </div>
  );
}
