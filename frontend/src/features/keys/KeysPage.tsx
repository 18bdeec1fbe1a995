import { useProject } from '@/api/projects';
import { PageHeader } from '@/ui/PageHeader';

export function KeysPage() {
  const project = useProject();
  return <PageHeader title="API keys" context={project.name} />;
}
