import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { ChevronsUpDown, FolderKanban } from 'lucide-react';

import { useProjects } from '@/api/projects';
import { useMe } from '@/api/session';
import { classes } from '@/lib/classes';
import { Button } from '@/ui/Button';
import { Menu, MenuChoices, MenuLabel, MenuLink, MenuSeparator } from '@/ui/Menu';

/** Which project the page is about, and the way to another. */
export function ProjectSwitcher() {
  const { org, project } = useParams({ strict: false });
  const organization = useMe().organizations.find((it) => it.slug === org);
  const { data: projects } = useProjects(organization?.id);
  const navigate = useNavigate();
  if (!organization) return null;
  const current = projects?.find((it) => it.slug === project);
  const options = (projects ?? []).map((it) => ({ value: it.slug, label: it.name }));
  return (
    <Menu
      align="start"
      trigger={
        <Button variant="ghost" className="min-w-0 shrink! gap-2! px-2!" aria-label={`Switch project, now ${current?.name ?? project ?? 'none'}`}>
          <span className={classes('max-w-56 truncate', project ? 'hidden font-normal text-muted md:inline' : 'text-text')}>{organization.name}</span>
          {project && (
            <>
              <span aria-hidden className="hidden text-subtle md:inline">
                /
              </span>
              <span className="max-w-48 truncate text-text">{current?.name ?? project}</span>
            </>
          )}
          <ChevronsUpDown aria-hidden className="size-3.5! text-subtle" />
        </Button>
      }
    >
      <MenuLabel>{organization.name}</MenuLabel>
      <MenuChoices value={project ?? ''} options={options} onChange={(slug) => void navigate({ to: '/o/$org/p/$project', params: { org: organization.slug, project: slug } })} />
      <MenuSeparator />
      <MenuLink>
        <Link to="/o/$org" params={{ org: organization.slug }}>
          <FolderKanban aria-hidden />
          All projects
        </Link>
      </MenuLink>
    </Menu>
  );
}
