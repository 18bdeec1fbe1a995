import { useProject } from '@/api/projects';
import { PageHeader } from '@/ui/PageHeader';

import { DetailsForm } from './settings/DetailsForm';
import { Ending } from './settings/Ending';
import { ProjectMembers } from './settings/ProjectMembers';
import { VisibilityCard } from './settings/VisibilityCard';

/** What a project is called, who sees it, and how it ends. */
export function SettingsPage() {
  const project = useProject();
  return (
    <>
      <PageHeader title="Settings" context={project.name}>
        What {project.name} is called, who sees it, and who may do what in it.
      </PageHeader>
      <DetailsForm key={`${project.name} ${project.description} ${project.tags.join()}`} project={project} />
      <VisibilityCard project={project} />
      <ProjectMembers project={project} />
      <Ending project={project} />
    </>
  );
}
