/** The typed client of the control plane: cookie session, CSRF header, silent renewal, one error class. */
import createClient from 'openapi-fetch';

import { csrfToken } from './csrf';
import { toApiError, unreachable } from './problem';
import { renewSession } from './refresh';
import type { paths } from './schema';

const TIMEOUT_MS = 30_000;
const SAFE_METHODS = new Set(['GET', 'HEAD']);

export const api = createClient<paths>({ baseUrl: location.origin, fetch: sessionFetch });

/** The data of an answer; throws ApiError for anything but success. */
export const call = async <T>(pending: Promise<Answer<T>>): Promise<T> => (await callWithHeaders(pending)).data;

/** The data of an answer and its headers; throws ApiError for anything but success. */
export async function callWithHeaders<T>(pending: Promise<Answer<T>>): Promise<{ data: T; headers: Headers }> {
  const answer = await pending;
  if (succeeded(answer)) return { data: answer.data, headers: answer.response.headers };
  throw toApiError(answer.response, answer.error);
}

type Success<T> = { data: T; error?: never; response: Response };
type Failure = { data?: never; error: unknown; response: Response };
type Answer<T> = Success<T> | Failure;

const succeeded = <T>(answer: Answer<T>): answer is Success<T> => answer.response.ok;

/** `fetch` with the session's headers; an expired session is renewed once and the request repeated. */
async function sessionFetch(request: Request): Promise<Response> {
  const sentAt = Date.now();
  const spare = request.clone();
  const response = await send(request);
  const mayRenew = response.status === 401 && !new URL(request.url).pathname.startsWith('/api/v1/auth/');
  if (mayRenew && (await renewSession(sentAt).catch(() => false))) return send(spare);
  return response;
}

async function send(request: Request): Promise<Response> {
  if (!SAFE_METHODS.has(request.method)) request.headers.set('X-CSRF-Token', csrfToken() ?? '');
  try {
    return await fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]) });
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw unreachable();
  }
}
