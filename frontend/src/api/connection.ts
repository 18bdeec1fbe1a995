/** Whether the server answers: a heartbeat, asked at once when the browser says that the network came or went. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';

const STEADY_MS = 15_000;
const ANXIOUS_MS = 3_000;
const TIMEOUT_MS = 5_000;

export type Connection = { online: true } | { online: false; since: Date };

type Heartbeat = Connection;

const KEY = ['heartbeat'];

/** `navigator.onLine` alone would be wrong both ways: a server on this machine needs no network, and a network is not a server. */
export function useConnection(): Connection {
  const client = useQueryClient();
  const { data } = useQuery<Heartbeat>({
    queryKey: KEY,
    queryFn: async () => beat(client.getQueryData<Heartbeat>(KEY)),
    refetchInterval: (query) => (query.state.data?.online === false ? ANXIOUS_MS : STEADY_MS),
    staleTime: STEADY_MS,
    retry: false,
  });
  useEffect(() => {
    const ask = () => void client.refetchQueries({ queryKey: KEY });
    window.addEventListener('online', ask);
    window.addEventListener('offline', ask);
    return () => {
      window.removeEventListener('online', ask);
      window.removeEventListener('offline', ask);
    };
  }, [client]);
  return data ?? { online: true };
}

async function beat(last: Heartbeat | undefined): Promise<Heartbeat> {
  const answered = await fetch('/health/live', { signal: AbortSignal.timeout(TIMEOUT_MS) }).then(
    (response) => response.ok,
    () => false,
  );
  if (answered) return { online: true };
  return last?.online === false ? last : { online: false, since: new Date() };
}
