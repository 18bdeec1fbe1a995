import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';

import { Button, IconButton } from './Button';
import { toast } from './toast';

const SHOWN_MS = 1_600;

interface CopyButtonProps {
  text: string;
  /** Its accessible name, or with `withLabel` its visible one. */
  label?: string;
  withLabel?: boolean;
  onCopied?: () => void;
}

export function CopyButton({ text, label = 'Copy', withLabel = false, onCopied }: CopyButtonProps) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    if (!(await copyText(text))) return toast.error('The browser did not allow copying. Select the text and copy it by hand.');
    setCopied(true);
    onCopied?.();
  };
  const icon = copied ? <Check className="text-ok" /> : <Copy />;
  return (
    <>
      {withLabel ? (
        <Button icon={icon} onClick={() => void copy()}>
          {copied ? 'Copied' : label}
        </Button>
      ) : (
        <IconButton size="small" label={label} icon={icon} className="w-7" onClick={() => void copy()} />
      )}
      <span role="status" className="sr-only">
        {copied ? 'Copied' : ''}
      </span>
    </>
  );
}

/** The clipboard API exists only in secure contexts; a console on plain http gets the older way. */
export async function copyText(text: string): Promise<boolean> {
  if ('clipboard' in navigator) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  return copyThroughSelection(text);
}

function copyThroughSelection(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'fixed top-0 opacity-0';
  // Inside an open dialog, where focus is allowed to go.
  (document.querySelector('[role=dialog]') ?? document.body).append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  return copied;
}
