import { History, Trash2 } from 'lucide-react';
import { useState } from 'react';

import { useMe } from '@/api/session';
import type { Deployment } from '@/api/types';
import { formatMicroseconds } from '@/lib/format';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { RelativeTime } from '@/ui/RelativeTime';
import { StatusPill } from '@/ui/StatusPill';

import { clearHistory, readHistory, type Sent } from './history';
import { historyPlace } from './useSending';

interface HistoryDialogProps {
  deployment: Deployment;
  onRestore: (text: string) => void;
}

/** The requests that were sent last, to be filled in again. */
export function HistoryDialog({ deployment: { id, name }, onRestore }: HistoryDialogProps) {
  const { user } = useMe();
  const [isOpen, setIsOpen] = useState(false);
  const restore = (text: string) => {
    onRestore(text);
    setIsOpen(false);
  };
  return (
    <>
      <Button size="small" icon={<History aria-hidden />} onClick={() => setIsOpen(true)}>
        History
      </Button>
      <Dialog open={isOpen} onOpenChange={setIsOpen} title={`Requests sent to ${name}`} description="The last 50 from here, kept in this browser until you log out.">
        <Requests place={historyPlace(user.id, id)} onRestore={restore} />
      </Dialog>
    </>
  );
}

function Requests({ place, onRestore }: { place: string; onRestore: (text: string) => void }) {
  const [items, setItems] = useState(() => readHistory(place));
  const clear = () => {
    clearHistory(place);
    setItems([]);
  };
  if (items.length === 0) return <p className="py-6 text-center text-body text-muted">Nothing was sent yet.</p>;
  return (
    <div className="flex flex-col gap-4">
      <ul className="flex max-h-96 flex-col divide-y divide-border overflow-y-auto rounded-control border border-border">
        {items.map((it) => (
          <li key={it.text}>
            <Request sent={it} onRestore={onRestore} />
          </li>
        ))}
      </ul>
      <div>
        <Button variant="ghost" icon={<Trash2 aria-hidden />} onClick={clear}>
          Clear the history
        </Button>
      </div>
    </div>
  );
}

const Request = ({ sent: { at, text, ms, fault }, onRestore }: { sent: Sent; onRestore: (text: string) => void }) => (
  <button type="button" onClick={() => onRestore(text)} className="flex w-full flex-col gap-1 px-3 py-2 text-left hover:bg-sunken focus-visible:-outline-offset-2">
    <span className="flex w-full items-center gap-2 text-caption text-subtle">
      <RelativeTime time={at} />
      <span className="ml-auto">{fault === null ? <StatusPill tone="ok">{formatMicroseconds((ms ?? 0) * 1000)}</StatusPill> : <StatusPill tone="warn" title={fault}>refused</StatusPill>}</span>
    </span>
    <code className="line-clamp-2 w-full font-mono text-caption break-all text-muted">{text.slice(0, SHOWN_CHARACTERS)}</code>
  </button>
);

const SHOWN_CHARACTERS = 300;
