/** Sends a file. By XMLHttpRequest, since fetch tells nothing about what has already left. */
import { csrfToken } from './csrf';
import { toApiError, unreachable } from './problem';
import { renewSession } from './refresh';

export interface SendOptions {
  /** Called as bytes leave; `sent` equals the file's size when the server has begun to check it. */
  onProgress: (sent: number) => void;
  signal: AbortSignal;
}

interface Answer {
  status: number;
  headers: string;
  text: string;
}

const UPLOAD_TIMEOUT_MS = 60 * 60_000;

/** What the server made of `file`; rejects with ApiError if it refused, with AbortError if `signal` ended it. */
export async function sendFile<Made>(url: string, file: File, options: SendOptions): Promise<Made> {
  const sentAt = Date.now();
  let answer = await send(url, file, options);
  if (answer.status === 401 && (await renewSession(sentAt).catch(() => false))) answer = await send(url, file, options);
  const body = parse(answer.text);
  if (answer.status === 201) return body;
  throw toApiError(new Response(null, { status: answer.status, headers: headersOf(answer.headers) }), body);
}

function send(url: string, file: File, { onProgress, signal }: SendOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => {
      request.abort();
      reject(new DOMException('The upload was cancelled', 'AbortError'));
    };
    request.open('POST', url);
    request.timeout = UPLOAD_TIMEOUT_MS;
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.setRequestHeader('X-CSRF-Token', csrfToken() ?? '');
    request.upload.addEventListener('progress', (event) => onProgress(event.loaded));
    request.upload.addEventListener('load', () => onProgress(file.size));
    request.addEventListener('load', () => resolve({ status: request.status, headers: request.getAllResponseHeaders(), text: request.responseText }));
    request.addEventListener('error', () => reject(unreachable()));
    request.addEventListener('timeout', () => reject(unreachable()));
    request.addEventListener('loadend', () => signal.removeEventListener('abort', abort));
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    else request.send(file);
  });
}

function headersOf(text: string): Headers {
  const headers = new Headers();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return headers;
}

/** A proxy in between may answer with a page; that is no JSON, and nothing was made either. */
function parse(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
