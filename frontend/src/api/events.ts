/** What others change, shown at once: the project's event stream says what to load anew. */
import { type QueryClient, skipToken, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';

import { projectQuery } from './projects';
import { meQuery } from './session';

/** By the kind of thing that changed: which lists and pages show it. Other kinds (people, projects) may show anywhere. */
const SHOWN_IN: Record<string, readonly string[]> = {
  model: ['models', 'project'],
  version: ['models'],
  deployment: ['deployments', 'models', 'project'],
  key: ['keys'],
  batch_job: ['batch-jobs'],
};
const RETRY_MS = 5_000;

/** Keeps what the page shows of a project fresh, while somebody looks at it; browsers allow few streams, so hidden tabs have none. */
export function useLiveUpdates(org: string | undefined, project: string | undefined): void {
  const client = useQueryClient();
  const { data } = useQuery(org !== undefined && project !== undefined ? projectQuery(org, project) : { ...projectQuery('', ''), queryFn: skipToken });
  const projectId = data?.id;
  useEffect(() => (projectId === undefined ? undefined : whileVisible(() => listen(client, projectId))), [client, projectId]);
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
function listen(client: QueryClient, projectId: string): () => void {
  let source: EventSource | null = null;
  let retry = 0;
  let hasLost = false;
  const refreshAfterLoss = () => {
    if (hasLost) void client.invalidateQueries();
    hasLost = false;
  };
  const lose = () => {
    hasLost = true;
    // While it is not closed, the browser comes again by itself.
    if (source?.readyState === EventSource.CLOSED) retry = window.setTimeout(() => void comeAgain(), RETRY_MS);
  };
  const comeAgain = async () => {
    await client.fetchQuery({ ...meQuery, staleTime: 0 }).catch(() => undefined); // renews a session that has run out
    if (retry !== 0) connect();
  };
  const connect = () => {
    source = new EventSource(`/api/v1/projects/${projectId}/events`);
    source.addEventListener('open', refreshAfterLoss);
    source.addEventListener('reset', () => void client.invalidateQueries());
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
