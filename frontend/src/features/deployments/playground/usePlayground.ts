import { useMemo, useState } from 'react';

import type { Deployment } from '@/api/types';

import { blankDraft, blankRow, type Draft, draftFrom, type Faults, buildRequest, layoutOf } from './form';
import { exampleOf, formatRequest, parseJson, parseRequest } from './protocol';
import { useSending } from './useSending';

/** What is typed: a form, or the request itself. */
export type Mode = { kind: 'form'; draft: Draft; faults: Faults } | { kind: 'json'; text: string; fault: string | null };

/** The state of a deployment's "try it" form. Lives above the tabs, so that looking at another one loses nothing. */
export function usePlayground(deployment: Deployment) {
  const { inputs, metadata } = deployment.revision.model_version;
  const layout = useMemo(() => layoutOf(inputs), [inputs]);
  const example = useMemo(() => exampleOf(metadata), [metadata]);
  const first = (): Draft => (example ? draftFrom(layout, example) : blankDraft(layout));
  const [mode, setMode] = useState<Mode>(() => ({ kind: 'form', draft: first(), faults: {} }));
  const [row, setRow] = useState(0);

  const sending = useSending(deployment);

  const setDraft = (draft: Draft) => setMode({ kind: 'form', draft, faults: {} });
  /** Shows what is wrong with the form, beginning with the row it is in. */
  const showFaults = (draft: Draft, faults: Faults) => {
    setMode({ kind: 'form', draft, faults });
    const faulty = draft.rows.findIndex((_, index) => Object.keys(faults).some((field) => field.startsWith(`row ${index} `)));
    if (faulty >= 0) setRow(faulty);
  };
  const showJson = () => {
    if (mode.kind === 'json') return;
    const built = buildRequest(layout, mode.draft);
    if (built.ok) setMode({ kind: 'json', text: formatRequest(built.request), fault: null });
    else showFaults(mode.draft, built.faults);
  };
  const showForm = () => {
    if (mode.kind === 'form') return;
    const parsed = parseRequest(mode.text);
    if (!parsed.ok) return setMode({ ...mode, fault: parsed.fault });
    setRow(0);
    setDraft(draftFrom(layout, parsed.value));
  };
  /** Sends what is typed, if it is a request, to this deployment and to `others`. */
  const send = (others: readonly Deployment[]) => {
    const text = textToSend();
    if (text !== null) sending.send(text, [deployment, ...others]);
  };
  const textToSend = (): string | null => {
    if (mode.kind === 'json') {
      const parsed = parseJson(mode.text);
      if (!parsed.ok) setMode({ ...mode, fault: parsed.fault });
      return parsed.ok ? mode.text : null;
    }
    const built = buildRequest(layout, mode.draft);
    if (!built.ok) showFaults(mode.draft, built.faults);
    return built.ok ? JSON.stringify(built.request) : null;
  };
  /** Fills in a request that was sent before: as a form where the form can say it all. */
  const restore = (text: string) => {
    const parsed = parseRequest(text);
    const isForm = parsed.ok && JSON.stringify(parsed.value) === text;
    setRow(0);
    if (isForm) setDraft(draftFrom(layout, parsed.value));
    else setMode({ kind: 'json', text, fault: null });
  };

  return {
    layout,
    hasExample: example !== null,
    mode,
    row,
    setRow,
    setDraft,
    setText: (text: string) => setMode({ kind: 'json', text, fault: null }),
    showForm,
    showJson,
    addRow: (draft: Draft) => {
      setDraft({ ...draft, rows: [...draft.rows, { ...(draft.rows[row] ?? blankRow(layout)) }] });
      setRow(draft.rows.length);
    },
    removeRow: (draft: Draft) => {
      setDraft({ ...draft, rows: draft.rows.filter((_, index) => index !== row) });
      setRow(Math.max(0, row - 1));
    },
    reset: () => {
      setRow(0);
      setDraft(first());
      sending.reset();
    },
    send,
    restore,
    sending,
    /** What snippets show: the request as typed, or the first one where it is not complete. */
    request: () => currentRequest(mode, layout) ?? currentRequest({ kind: 'form', draft: first(), faults: {} }, layout),
  };
}

export type Playground = ReturnType<typeof usePlayground>;

function currentRequest(mode: Mode, layout: ReturnType<typeof layoutOf>) {
  if (mode.kind === 'form') {
    const built = buildRequest(layout, mode.draft);
    return built.ok ? built.request : null;
  }
  const parsed = parseRequest(mode.text);
  return parsed.ok ? parsed.value : null;
}
