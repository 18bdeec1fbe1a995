/** Things as the API would answer them; a test overrides what it is about. */
import type { AuditEntry, BatchJob, Deployment, Key, Me, Model, ModelVersion, OwnSession, Project, RoleTable, Session, System, Tuning, Worker } from '@/api/types';

const CREATED = '2026-11-20T09:30:00Z';
const id = (last: number) => `019aa000-0000-7000-8000-${String(last).padStart(12, '0')}`;

export const me = (over: Partial<Me> = {}): Me => ({
  user: { id: id(1), email: 'ada@example.com', name: 'Ada Lovelace' },
  is_email_verified: true,
  has_second_factor: false,
  has_password: true,
  organizations: [{ id: id(2), name: 'Analytical Engines', slug: 'analytical', role: 'owner' }],
  csrf_token: 'csrf-1',
  ...over,
});

export const session = (over: Partial<Session> = {}): Session => ({
  access_token: null,
  refresh_token: null,
  csrf_token: 'csrf-1',
  expires_in: 900,
  user: me().user,
  organization_id: id(2),
  project_id: id(3),
  ...over,
});

export const ownSession = (over: Partial<OwnSession> = {}): OwnSession => ({
  id: id(5),
  kind: 'cookie',
  agent: '',
  address: '127.0.0.1',
  created_at: CREATED,
  last_used_at: CREATED,
  expires_at: '2026-12-20T09:30:00Z',
  is_current: false,
  ...over,
});

export const project = (over: Partial<Project> = {}): Project => ({
  id: id(3),
  organization_id: id(2),
  organization_slug: 'analytical',
  name: 'Default',
  slug: 'default',
  description: '',
  tags: [],
  visibility: 'organization',
  role: 'owner',
  created_at: CREATED,
  archived_at: null,
  deleted_at: null,
  models: 0,
  versions: 0,
  deployments: 0,
  ...over,
});

/** The part of the server's table that pages of a project look at. */
export const roleTable = (): RoleTable => {
  const changes = ['models:write', 'deployments:write', 'predictions:make', 'keys:write', 'projects:write'] as const;
  return {
    roles: ['viewer', 'developer', 'admin', 'owner'],
    permissions: [
      ...changes.map((name) => ({ name, sentence: 'Change it.', roles: ['developer' as const, 'admin' as const, 'owner' as const] })),
      { name: 'projects:delete', sentence: 'Delete it.', roles: ['admin', 'owner'] },
      { name: 'projects:share', sentence: 'Share it.', roles: ['admin', 'owner'] },
    ],
  };
};

export const system = (over: Partial<System> = {}): System => ({
  version: '0.1.0',
  inference_url: 'http://localhost:8081',
  grpc_target: 'localhost:8082',
  signup_open: true,
  signup_domains: [],
  sign_in_providers: [],
  ...over,
});

export const key = (over: Partial<Key> = {}): Key => ({
  id: id(4),
  key_id: 'abcdefghijkl',
  name: 'checkout service',
  scopes: ['infer'],
  owner: 'Ada Lovelace',
  created_at: CREATED,
  expires_at: null,
  revoked_at: null,
  limits: { requests_per_s: null, burst: null, rows_per_s: null, requests_per_day: null, max_concurrency: null },
  deployments: null,
  networks: [],
  previous_expires_at: null,
  requests_today: null,
  old_secret_used_at: null,
  ...over,
});

export const modelVersion = (over: Partial<ModelVersion> = {}): ModelVersion => ({
  id: id(6),
  model_id: id(5),
  model_name: 'credit-risk',
  number: 1,
  file_name: 'credit-risk.onnx',
  digest: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  size_bytes: 184_320,
  created_at: CREATED,
  created_by: 'ada@example.com',
  inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 4] }],
  outputs: [{ name: 'probability', datatype: 'FP32', shape: [-1, 2] }],
  opset: 21,
  ir_version: 10,
  producer: 'skl2onnx',
  parameters: 4_210,
  nodes: 3,
  metadata: {},
  ...over,
});

export const model = (over: Partial<Model> = {}): Model => ({
  id: id(5),
  project_id: id(3),
  name: 'credit-risk',
  description: '',
  created_at: CREATED,
  versions: 1,
  latest_version: modelVersion(),
  deployments: [],
  ...over,
});

export const deployment = (over: Partial<Deployment> = {}): Deployment => ({
  id: id(7),
  project_id: id(3),
  name: 'credit',
  state: 'ready',
  state_reason: '',
  created_at: CREATED,
  updated_at: CREATED,
  revision: { id: id(8), number: 1, created_at: CREATED, settings: {}, model_version: modelVersion() },
  workers: [],
  ...over,
});

export const worker = (over: Partial<Worker> = {}): Worker => ({
  worker_id: 'gateway-1',
  state: 'ready',
  error: '',
  memory_bytes: 12_000_000,
  queued_rows: 0,
  in_flight: 0,
  heartbeat_at: CREATED,
  tuning: null,
  ...over,
});

/** A model that takes most rows a second in runs of 8, with one thread. */
export const tuning = (over: Partial<Tuning> = {}): Tuning => ({
  points: [
    { rows: 1, threads: 1, run_us: 10 },
    { rows: 8, threads: 1, run_us: 20 },
    { rows: 64, threads: 1, run_us: 640 },
    { rows: 1, threads: 2, run_us: 25 },
    { rows: 64, threads: 2, run_us: 400 },
  ],
  choices: [
    { name: 'execution', value: 'inline', reason: 'One row takes 10 µs, less than a thread hop.', is_pinned: false },
    { name: 'intra_op_threads', value: '1', reason: 'More threads are slower.', is_pinned: false },
    { name: 'max_batch_size', value: '8', reason: 'Most rows a second.', is_pinned: false },
    { name: 'max_delay_us', value: '2000', reason: 'The revision demands it.', is_pinned: true },
  ],
  measured_at: Date.parse(CREATED) / 1000,
  took_s: 0.42,
  ...over,
});

export const batchJob = (over: Partial<BatchJob> = {}): BatchJob => ({
  id: id(9),
  project_id: id(3),
  deployment_id: id(7),
  deployment_name: 'credit',
  model_name: 'credit-risk',
  model_version: 1,
  input: { file_name: 'customers.csv', format: 'csv', digest: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', size_bytes: 48_000 },
  state: 'queued',
  reason: '',
  rows_total: 1_000,
  rows_done: 0,
  rows_failed: 0,
  created_at: CREATED,
  created_by: 'Ada Lovelace',
  started_at: null,
  finished_at: null,
  results: null,
  failed_rows: null,
  ...over,
});

/** A key that got another name. */
export const auditEntry = (over: Partial<AuditEntry> = {}): AuditEntry => ({
  id: id(10),
  number: 7,
  at: CREATED,
  actor_id: id(1),
  actor: 'ada@example.com',
  address: '192.0.2.7',
  request_id: '0123456789abcdef0123456789abcdef',
  project_id: id(3),
  action: 'key.update',
  target_id: id(4),
  target_name: 'payments',
  before: { name: 'checkout', key_id: 'abcdefghijkl' },
  after: { name: 'payments', key_id: 'abcdefghijkl' },
  seal: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  ...over,
});
