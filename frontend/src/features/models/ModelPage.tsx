import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Rocket, Upload } from 'lucide-react';
import { useState } from 'react';

import { modelQuery, versionsQuery } from '@/api/models';
import { ApiError } from '@/api/problem';
import { useProject } from '@/api/projects';
import type { Model, ModelVersion } from '@/api/types';
import { Empty } from '@/ui/Empty';
import { GuardedButton } from '@/ui/Guarded';
import { Loaded } from '@/ui/Loaded';
import { PageHeader } from '@/ui/PageHeader';
import { PageSkeleton } from '@/ui/Skeleton';

import { DeleteModel } from './DeleteModel';
import { DeployDialog } from './DeployDialog';
import { Serving } from './Serving';
import { useUploadDialog } from './upload/useUploadDialog';
import { VersionDetails } from './VersionDetails';
import { VersionList } from './VersionList';

const route = getRouteApi('/session/o/$org/p/$project/models/$model');

export function ModelPage() {
  const project = useProject();
  const { model: modelId } = route.useParams();
  const model = useQuery(modelQuery(project.id, modelId));
  if (model.error instanceof ApiError && model.error.status === 404) return <NoSuchModel />;
  return (
    <Loaded query={model} skeleton={<PageSkeleton />}>
      {(it) => <ModelView model={it} />}
    </Loaded>
  );
}

function ModelView({ model }: { model: Model }) {
  const project = useProject();
  const { version: number } = route.useSearch();
  const navigate = route.useNavigate();
  const versions = useInfiniteQuery(versionsQuery(project.id, model.id));
  const [isDeploying, setIsDeploying] = useState(false);
  const upload = useUploadDialog({ projectId: project.id, model, onDone: ({ number: version }) => void navigate({ search: { version } }) });
  const shown = versions.data?.find((it) => it.number === number) ?? (number === undefined ? model.latest_version : null);
  const description = shown?.metadata['headrace.description'] || model.description;
  return (
    <div className="flex flex-col gap-6">
      <PageHeader
        title={model.name}
        context={project.name}
        above={<BackToModels />}
        actions={
          <>
            <DeleteModel model={model} />
            <GuardedButton needs="models:write" icon={<Upload aria-hidden />} onClick={upload.open}>
              Upload version
            </GuardedButton>
            {shown && (
              <GuardedButton needs="deployments:write" variant="primary" icon={<Rocket aria-hidden />} onClick={() => setIsDeploying(true)}>
                Deploy v{shown.number}
              </GuardedButton>
            )}
          </>
        }
      >
        {description || undefined}
      </PageHeader>
      <Serving deployments={model.deployments} />
      <div className="grid grid-cols-1 items-start gap-6 lg:grid-cols-[minmax(0,1fr)_18rem]">
        <Shown version={shown} model={model} isPending={versions.isPending} onUpload={upload.open} />
        <VersionList query={versions} model={model} shown={shown?.number} />
      </div>
      {upload.dialog}
      {shown && <DeployDialog version={shown} open={isDeploying} onOpenChange={setIsDeploying} />}
    </div>
  );
}

interface ShownProps {
  version: ModelVersion | null;
  model: Model;
  isPending: boolean;
  onUpload: () => void;
}

function Shown({ version, model, isPending, onUpload }: ShownProps) {
  if (version) return <VersionDetails version={version} />;
  if (isPending) return <PageSkeleton />;
  if (model.versions > 0) return <Empty title="No such version">This model has no version of that number. Choose one from the list.</Empty>;
  return (
    <Empty title="No versions yet" action={<GuardedButton needs="models:write" onClick={onUpload}>Upload version</GuardedButton>} command={`headrace deploy model.onnx --name ${model.name}`}>
      Upload an ONNX file to make the first version of this model.
    </Empty>
  );
}

function BackToModels() {
  const project = useProject();
  return (
    <Link to="/o/$org/p/$project/models" params={{ org: project.organization_slug, project: project.slug }} className="link">
      Models
    </Link>
  );
}

const NoSuchModel = () => (
  <div className="flex flex-col gap-6">
    <PageHeader title="Model not found" above={<BackToModels />} />
    <Empty title="This model does not exist">It may have been deleted, or the address is mistyped.</Empty>
  </div>
);
