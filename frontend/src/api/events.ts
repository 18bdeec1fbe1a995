/** What others change, shown at once: the event stream of the project, or of the organization, says what to load anew. */
import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { useProjectAt } from './projects';
import { meQuery } from './session';

/** Whether changes reach the page as they happen; null on pages that follow none. */
export type Liveness = 'live' | 'reconnecting' | null;

/** By the kind of thing that changed: which lists and pages show it. Other kinds (people, projects) may show anywhere. */
const SHOWN_IN: Record<string, readonly string[]> = {
  model: ['models', 'project', 'projects'],
  version: ['models', 'project', 'projects'],
  deployment: ['deployments', 'models', 'project', 'projects'],
  key: ['keys'],
  batch_job: ['batch-jobs'],
  entry: ['audit'],
};
/** What is observed rather than done, and so leaves no entry in the audit log. */
const UNRECORDED = new Set(['deployment.state', 'batch_job.progress']);
const RETRY_MS = 5_000;
/** How long nothing is loaded anew after something was, however much changes. */
const REST_MS = 500;
/** How often to ask for what events tell of: now and then, in case one was lost on its way. */
const LIVE_POLL_MS = 15_000;

let liveness: Liveness = null;

/** How long until a list is worth asking for again, ms: `alone` unless changes reach the page as they happen. */
export const pollUnlessLive = (alone: number): number => (liveness === 'live' ? Math.max(alone, LIVE_POLL_MS) : alone);

/** Keeps what the page shows fresh while somebody looks at it; browsers allow few streams, so hidden tabs have none. */
export function useLiveUpdates(org: string | undefined, project: string | undefined): Liveness {
  const client = useQueryClient();
  const [shown, show] = useState<Liveness>(null);
  const path = useStream(org, project);
  useEffect(() => {
    if (path === undefined) return undefined;
    const tell = (now: Liveness) => {
      liveness = now;
      show(now);
    };
    let isBack = false;
    const stop = whileVisible(() => {
      const end = listen(client, path, tell, isBack);
      isBack = true;
      return end;
    });
    return () => {
      stop();
      tell(null);
    };
  }, [client, path]);
  return shown;
}

/** Where the page's stream is: its project's, which speaks of the organization too, or else its organization's. */
function useStream(org: string | undefined, project: string | undefined): string | undefined {
  const { data: me } = useQuery(meQuery);
  const { data } = useProjectAt(org, project);
  const organization = me?.organizations.find((it) => it.slug === org);
  if (!organization) return undefined;
  if (project === undefined) return `/api/v1/organizations/${organization.id}/events`;
  return data && `/api/v1/projects/${data.id}/events`;
}

/** Runs `start` whenever the page comes into view, and what it gave back when it goes; the answer ends it all. */
function whileVisible(start: () => () => void): () => void {
  let stop: (() => void) | null = null;
  const look = () => {
    if (document.visibilityState === 'visible') stop ??= start();
    else {
      stop?.();
      stop = null;
    }
  };
  document.addEventListener('visibilitychange', look);
  look();
  return () => {
    document.removeEventListener('visibilitychange', look);
    stop?.();
  };
}

/** Follows the stream until told to stop; who is back has missed what happened meanwhile. */
function listen(client: QueryClient, path: string, tell: (liveness: Liveness) => void, isBack: boolean): () => void {
  const refresher = createRefresher(client);
  let source: EventSource | null = null;
  let retry = 0;
  let hasLost = isBack;
  const refreshAfterLoss = () => {
    tell('live');
    if (hasLost) void client.invalidateQueries();
    hasLost = false;
  };
  const lose = () => {
    hasLost = true;
    tell('reconnecting');
    // While it is not closed, the browser comes again by itself.
    if (source?.readyState === EventSource.CLOSED) retry = window.setTimeout(() => void comeAgain(), RETRY_MS);
  };
  const comeAgain = async () => {
    await client.fetchQuery({ ...meQuery, staleTime: 0 }).catch(() => undefined); // renews a session that has run out
    if (retry !== 0) connect();
  };
  const connect = () => {
    source = new EventSource(path);
    source.addEventListener('open', refreshAfterLoss);
    for (const upheaval of ['reset', 'end']) source.addEventListener(upheaval, () => void client.invalidateQueries());
    source.addEventListener('change', (event: MessageEvent<string>) => refresher.refresh(event.data));
    source.addEventListener('error', lose);
  };
  connect();
  return () => {
    window.clearTimeout(retry);
    retry = 0;
    refresher.stop();
    source?.close();
  };
}

/** Loads anew what shows the changed: at once, and while changes keep coming, every `REST_MS`. */
function createRefresher(client: QueryClient): { refresh: (change: string) => void; stop: () => void } {
  const changed = new Set<string>();
  let resting = 0;
  const load = () => {
    resting = changed.size > 0 ? window.setTimeout(load, REST_MS) : 0;
    if (changed.size > 0) invalidate(client, [...changed]);
    changed.clear();
  };
  return {
    refresh: (change) => {
      const { type }: { type: string } = JSON.parse(change);
      changed.add(type.split('.')[0] ?? '');
      if (!UNRECORDED.has(type)) changed.add('entry');
      if (resting === 0) load();
    },
    stop: () => window.clearTimeout(resting),
  };
}

function invalidate(client: QueryClient, kinds: readonly string[]): void {
  const shown = kinds.every((it) => it in SHOWN_IN) ? new Set(kinds.flatMap((it) => SHOWN_IN[it] ?? [])) : null;
  void client.invalidateQueries(shown ? { predicate: ({ queryKey: [first] }) => typeof first === 'string' && shown.has(first) } : {});
}
