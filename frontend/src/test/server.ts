/** The faked HTTP edge: tests say what the control plane answers, the console does not know the difference. */
import { http, HttpResponse, type HttpResponseResolver } from 'msw';
import { setupServer } from 'msw/node';

import { me, project, roleTable, system } from './factories';

const ORIGIN = 'http://localhost:8080';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** Answers `method path` below /api/v1; `{name}` in the path matches any segment. */
export const answer = (method: Method, path: string, resolver: HttpResponseResolver) =>
  server.use(http[method](`${ORIGIN}/api/v1${path.replaceAll(/\{(\w+)\}/g, ':$1')}`, resolver));

export const json = (body: object, status = 200) => HttpResponse.json(body, { status });

export const page = (items: readonly object[]) => json({ items, next_cursor: null });

export const problem = (status: number, title: string, detail: string, errors?: { field: string; message: string }[]) =>
  HttpResponse.json(
    { type: 'urn:headrace:problem:Test', title, status, detail, instance: '/', request_id: 'test-request', ...(errors ? { errors } : {}) },
    { status, headers: { 'Content-Type': 'application/problem+json' } },
  );

/** What every signed-in page asks for. */
const everywhere = [
  http.get(`${ORIGIN}/health/live`, () => json({ status: 'live' })),
  http.get(`${ORIGIN}/api/v1/me`, () => json(me())),
  http.get(`${ORIGIN}/api/v1/organizations/:organization_id/monitoring/projects`, () => json({ items: [] })),
  http.get(`${ORIGIN}/api/v1/roles`, () => json(roleTable())),
  http.get(`${ORIGIN}/api/v1/system`, () => json(system())),
  http.get(`${ORIGIN}/api/v1/lookup`, () => json(project())),
  http.get(`${ORIGIN}/api/v1/organizations/:organization_id/projects`, () => page([project()])),
];

export const server = setupServer(...everywhere);
