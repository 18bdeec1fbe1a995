import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';

import { deploymentKeys, tryDeployment } from '@/api/deployments';
import type { Deployment } from '@/api/types';

import { blankDraft, blankRow, type Draft, draftFrom, type Faults, buildRequest, layoutOf } from './form';
import { exampleOf, formatRequest, parseJson, parseRequest } from './protocol';

/** What is typed: a form, or the request itself. */
export type Mode = { kind: 'form'; draft: Draft; faults: Faults } | { kind: 'json'; text: string; fault: string | null };

export interface Answered {
  body: unknown;
  /** From sending to the decoded answer, as this browser saw it. */
  roundTripMs: number;
}

/** The state of a deployment's "try it" form. Lives above the tabs, so that looking at another one loses nothing. */
export function usePlayground({ id, project_id: projectId, revision }: Deployment) {
  const queryClient = useQueryClient();
  const { inputs, metadata } = revision.model_version;
  const layout = useMemo(() => layoutOf(inputs), [inputs]);
  const example = useMemo(() => exampleOf(metadata), [metadata]);
  const first = (): Draft => (example ? draftFrom(layout, example) : blankDraft(layout));
  const [mode, setMode] = useState<Mode>(() => ({ kind: 'form', draft: first(), faults: {} }));
  const [row, setRow] = useState(0);

  const sending = useMutation({
    mutationFn: async (text: string): Promise<Answered> => {
      const startedAt = performance.now();
      const body = await tryDeployment(projectId, id, text);
      return { body, roundTripMs: performance.now() - startedAt };
    },
    onSettled: () => void queryClient.invalidateQueries({ queryKey: deploymentKeys.one(projectId, id) }),
  });

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
  const send = () => {
    if (mode.kind === 'json') {
      const parsed = parseJson(mode.text);
      if (parsed.ok) sending.mutate(mode.text);
      else setMode({ ...mode, fault: parsed.fault });
      return;
    }
    const built = buildRequest(layout, mode.draft);
    if (built.ok) sending.mutate(JSON.stringify(built.request));
    else showFaults(mode.draft, built.faults);
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
