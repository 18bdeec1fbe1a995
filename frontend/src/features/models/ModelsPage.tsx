import { useProject } from '@/api/projects';
import { PageHeader } from '@/ui/PageHeader';

export function ModelsPage() {
  const project = useProject();
  return <PageHeader title="Models" context={project.name} />;
}
