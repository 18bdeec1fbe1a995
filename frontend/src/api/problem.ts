/** Every failure of the API as one error class. */
import type { components } from './schema';

type Problem = components['schemas']['Problem'];

/** A problem answer (RFC 9457), or status 0 when no answer came. `detail` is meant for people. */
export class ApiError extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly requestId: string | null;
  /** Messages by field name, of a form the server refused. */
  readonly fields: Readonly<Record<string, string>>;
  readonly retryAfterS: number | null;

  constructor(problem: Partial<Problem> & { status: number }, retryAfterS: number | null = null) {
    const title = problem.title ?? 'Request failed';
    super(problem.detail ?? title);
    this.name = 'ApiError';
    this.status = problem.status;
    this.title = title;
    this.detail = problem.detail ?? '';
    this.requestId = problem.request_id ?? null;
    this.fields = Object.fromEntries((problem.errors ?? []).map((it) => [it.field, it.message]));
    this.retryAfterS = retryAfterS;
  }

  /** True when no answer came at all: the network or the server is down. */
  get isUnreachable(): boolean {
    return this.status === 0;
  }
}

export const unreachable = (): ApiError =>
  new ApiError({ status: 0, title: 'Headrace cannot be reached', detail: 'No answer came from the server. Check that it is running and that you are online.' });

/** The error for an unsuccessful `response` whose decoded body is `body`. */
export function toApiError(response: Response, body: unknown): ApiError {
  const retryAfter = Number(response.headers.get('Retry-After') ?? Number.NaN);
  const retryAfterS = Number.isFinite(retryAfter) ? retryAfter : null;
  if (isProblem(body)) return new ApiError(body, retryAfterS);
  // Not a problem document: a proxy's page, or an inference error passed through as {"error": "..."}.
  const detail = isInferenceError(body) ? body.error : `the server answered ${response.status} ${response.statusText}`.trim();
  return new ApiError({ status: response.status, title: 'Request failed', detail, request_id: response.headers.get('X-Request-Id') ?? '' }, retryAfterS);
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'title' in body && 'status' in body && 'detail' in body;
}

function isInferenceError(body: unknown): body is { error: string } {
  return typeof body === 'object' && body !== null && 'error' in body && typeof body.error === 'string';
}

/** What to tell the reader about any thrown thing. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A refused form: messages for the fields it has, and what remains to be said about the whole. */
export function refusalOf<Name extends string>(error: unknown, names: readonly Name[]): { fields: Partial<Record<Name, string>>; message: string | undefined } {
  const refused = error instanceof ApiError ? error.fields : {};
  const fields: Partial<Record<Name, string>> = {};
  for (const name of names) if (refused[name]) fields[name] = refused[name];
  const isPlaced = Object.keys(fields).length > 0;
  return { fields, message: !error || isPlaced ? undefined : messageOf(error) };
}
