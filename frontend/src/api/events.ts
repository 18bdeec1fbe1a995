/** What others change, shown at once: the event stream of the project, or of the organization, says what to load anew. */
import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { useProjectAt } from './projects';
import { meQuery } from './session';

/** Whether changes reach the page as they happen; null on pages that follow none. */
export type Liveness = 'live' | 'reconnecting' | null;

/** By the kind of thing that changed: which lists and pages show it. Other kinds (people, projects) may show anywhere. */
const SHOWN_IN: Record<string, readonly string[]> = {
  model: ['models', 'project'],
  version: ['models'],
  deployment: ['deployments', 'models', 'project'],
  key: ['keys'],
  batch_job: ['batch-jobs'],
};
const RETRY_MS = 5_000;

/** Keeps what the page shows fresh while somebody looks at it; browsers allow few streams, so hidden tabs have none. */
export function useLiveUpdates(org: string | undefined, project: string | undefined): Liveness {
  const client = useQueryClient();
  const [liveness, setLiveness] = useState<Liveness>(null);
  const path = useStream(org, project);
  useEffect(() => {
    if (path === undefined) return undefined;
    const stop = whileVisible(() => listen(client, path, setLiveness));
    return () => {
      stop();
      setLiveness(null);
    };
  }, [client, path]);
  return liveness;
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

/** Follows the stream until told to stop. */
function listen(client: QueryClient, path: string, tell: (liveness: Liveness) => void): () => void {
  let source: EventSource | null = null;
  let retry = 0;
  let hasLost = false;
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
    source.addEventListener('change', (event: MessageEvent<string>) => invalidate(client, event.data));
    source.addEventListener('error', lose);
  };
  connect();
  return () => {
    window.clearTimeout(retry);
    retry = 0;
    source?.close();
  };
}

function invalidate(client: QueryClient, data: string): void {
  const { type }: { type: string } = JSON.parse(data);
  const shown = SHOWN_IN[type.split('.')[0] ?? ''];
  void client.invalidateQueries(shown ? { predicate: ({ queryKey: [first] }) => typeof first === 'string' && shown.includes(first) } : {});
}
