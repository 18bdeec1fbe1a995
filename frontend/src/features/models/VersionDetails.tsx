import type { ReactNode } from 'react';

import type { ModelVersion, Tensor } from '@/api/types';
import { formatBytes, formatCount } from '@/lib/format';
import { datatypeWords, shapeText } from '@/lib/tensors';
import { Card } from '@/ui/Card';
import { CopyButton } from '@/ui/CopyButton';
import { RelativeTime } from '@/ui/RelativeTime';

/** What one version takes and gives, and the facts of its file. */
export const VersionDetails = ({ version }: { version: ModelVersion }) => (
  <div className="flex min-w-0 flex-col gap-6">
    <Card title={`Signature of version ${version.number}`} padded={false}>
      <SignatureTable label="Inputs" tensors={version.inputs} />
      <SignatureTable label="Outputs" tensors={version.outputs} />
    </Card>
    <Card title="File">
      <Facts version={version} />
    </Card>
  </div>
);

const CELL = 'px-3 py-2 text-left sm:px-4';

const SignatureTable = ({ label, tensors }: { label: string; tensors: readonly Tensor[] }) => (
  <div tabIndex={0} role="region" aria-label={label} className="relative overflow-x-auto border-b border-border last:border-0 focus-visible:-outline-offset-2">
    <table aria-label={label} className="w-full table-fixed text-table">
      <thead className="bg-sunken text-caption text-muted">
        <tr>
          <th scope="col" className={`${CELL} font-medium`}>
            {label} <span className="font-normal text-subtle">({tensors.length})</span>
          </th>
          <th scope="col" className={`${CELL} w-22 font-medium sm:w-32`}>
            Datatype
          </th>
          <th scope="col" className={`${CELL} w-24 font-medium sm:w-36`}>
            Shape
          </th>
        </tr>
      </thead>
      <tbody>
        {tensors.map(({ name, datatype, shape }) => (
          <tr key={name} className="border-t border-border">
            <td className={`${CELL} font-mono text-code break-words`}>{name}</td>
            <td className={CELL} title={datatypeWords(datatype)}>
              {datatype}
            </td>
            <td className={CELL}>{shapeText(shape)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

function Facts({ version }: { version: ModelVersion }) {
  return (
    <dl className="grid grid-cols-2 gap-x-6 gap-y-4 sm:grid-cols-3">
      <Fact name="File">{version.file_name}</Fact>
      <Fact name="Size">{formatBytes(version.size_bytes)}</Fact>
      <Fact name="Uploaded">
        <RelativeTime time={version.created_at} /> {version.created_by && <span className="text-muted">by {version.created_by}</span>}
      </Fact>
      <Fact name="Parameters">{formatCount(version.parameters)}</Fact>
      <Fact name="Nodes">{formatCount(version.nodes)}</Fact>
      <Fact name="Operator set">{version.opset}</Fact>
      <Fact name="IR version">{version.ir_version}</Fact>
      <Fact name="Producer">{version.producer || 'Not stated'}</Fact>
      <div className="col-span-full flex flex-col gap-0.5">
        <dt className="text-caption text-subtle">SHA-256</dt>
        <dd className="flex items-center gap-1">
          <code className="min-w-0 font-mono text-caption break-all">{version.digest}</code>
          <CopyButton text={version.digest} label="Copy SHA-256" />
        </dd>
      </div>
    </dl>
  );
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div className="flex min-w-0 flex-col gap-0.5">
    <dt className="text-caption text-subtle">{name}</dt>
    <dd className="text-body break-words">{children}</dd>
  </div>
);
