import { useProject } from '@/api/projects';
import { PageHeader } from '@/ui/PageHeader';

export function DeploymentsPage() {
  const project = useProject();
  return <PageHeader title="Deployments" context={project.name} />;
}
