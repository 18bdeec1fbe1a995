import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Box, Upload } from 'lucide-react';

import { modelsQuery } from '@/api/models';
import { useProject } from '@/api/projects';
import type { Model, ModelVersion } from '@/api/types';
import { formatBytes } from '@/lib/format';
import { Empty } from '@/ui/Empty';
import { GuardedButton } from '@/ui/Guarded';
import { Loaded } from '@/ui/Loaded';
import { LoadMore } from '@/ui/LoadMore';
import { PageHeader } from '@/ui/PageHeader';
import { RelativeTime } from '@/ui/RelativeTime';
import { Table, Td, Th, Tr } from '@/ui/Table';

import { Serving } from './Serving';
import { useUploadDialog } from './upload/useUploadDialog';

export function ModelsPage() {
  const project = useProject();
  const models = useInfiniteQuery(modelsQuery(project.id));
  const navigate = useNavigate();
  const show = ({ model_id: model, number: version }: ModelVersion) =>
    void navigate({ to: '/o/$org/p/$project/models/$model', params: { org: project.organization_slug, project: project.slug, model }, search: { version } });
  const upload = useUploadDialog({ projectId: project.id, onDone: show });
  const button = (
    <GuardedButton needs="models:write" variant="primary" icon={<Upload aria-hidden />} onClick={upload.open}>
      Upload model
    </GuardedButton>
  );
  return (
    <>
      <PageHeader title="Models" context={project.name} actions={models.data?.length ? button : undefined}>
        ONNX models and their versions. Drop a file anywhere on this page to upload it.
      </PageHeader>
      <Loaded query={models}>
        {(items) =>
          items.length === 0 ? (
            <Empty icon={<Box aria-hidden />} title="No models yet" action={button} command="headrace deploy model.onnx --name fraud">
              Upload an ONNX file. Headrace checks it, reads its inputs and outputs, and keeps every version.
            </Empty>
          ) : (
            <>
              <ModelTable models={items} />
              <LoadMore query={models} of="model" />
            </>
          )
        }
      </Loaded>
      {upload.dialog}
    </>
  );
}

const ModelTable = ({ models }: { models: readonly Model[] }) => (
  <Table
    label="Models"
    head={
      <>
        <Th>Name</Th>
        <Th>Latest version</Th>
        <Th>Serving</Th>
        <Th numeric>Size</Th>
        <Th numeric>Updated</Th>
      </>
    }
  >
    {models.map((model) => (
      <ModelRow key={model.id} model={model} />
    ))}
  </Table>
);

function ModelRow({ model: { id, name, versions, latest_version: latest, deployments, created_at } }: { model: Model }) {
  const project = useProject();
  return (
    <Tr>
      <Td className="max-w-80">
        <Link to="/o/$org/p/$project/models/$model" params={{ org: project.organization_slug, project: project.slug, model: id }} className="link block truncate font-medium" title={name}>
          {name}
        </Link>
      </Td>
      <Td className="whitespace-nowrap">
        {latest ? `v${latest.number}` : '–'}
        {versions > 1 && <span className="text-subtle"> of {versions}</span>}
      </Td>
      <Td>
        <Serving deployments={deployments} />
      </Td>
      <Td numeric>{latest ? formatBytes(latest.size_bytes) : '–'}</Td>
      <Td numeric className="text-muted">
        <RelativeTime time={latest?.created_at ?? created_at} />
      </Td>
    </Tr>
  );
}
