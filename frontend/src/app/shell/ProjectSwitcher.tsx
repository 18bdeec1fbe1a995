import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { ChevronsUpDown, FolderKanban, Plus } from 'lucide-react';
import { useState } from 'react';

import { useNewestProjects, useProjectAt } from '@/api/projects';
import { useMe } from '@/api/session';
import { NewOrganizationDialog } from '@/features/organization/NewOrganizationDialog';
import { classes } from '@/lib/classes';
import { Button } from '@/ui/Button';
import { Menu, MenuChoices, MenuItem, MenuLabel, MenuLink, MenuSeparator } from '@/ui/Menu';

/** Which organization and project the page is about, if any, and the way to others; nothing for who belongs nowhere. */
export function ProjectSwitcher() {
  const { org, project } = useParams({ strict: false });
  const { organizations } = useMe();
  const organization = organizations.find((it) => it.slug === org);
  const { data: projects } = useNewestProjects(organization?.id);
  const { data: current } = useProjectAt(org, project);
  const navigate = useNavigate();
  const [founding, setFounding] = useState(false);
  if (organizations.length === 0) return null;
  const options = (projects ?? []).map((it) => ({ value: it.slug, label: it.name }));
  return (
    <>
      <span aria-hidden className="mx-1 hidden h-5 w-px rotate-12 bg-border-strong/60 sm:block" />
      <Menu
        align="start"
        trigger={
          <Button variant="ghost" className="min-w-0 shrink! gap-2! px-2!" aria-label={organization ? `Switch project or organization, now ${current?.name ?? project ?? 'none'}` : undefined}>
            <span className={classes('max-w-56 truncate', project ? 'hidden font-normal text-muted md:inline' : 'text-text')}>{organization?.name ?? 'Choose an organization'}</span>
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
        {organization && (
          <>
            <MenuLabel>{organization.name}</MenuLabel>
            <MenuChoices value={project ?? ''} options={options} onChange={(slug) => void navigate({ to: '/o/$org/p/$project', params: { org: organization.slug, project: slug } })} />
            <MenuSeparator />
            <MenuLink>
              <Link to="/o/$org" params={{ org: organization.slug }}>
                <FolderKanban aria-hidden />
                All projects
              </Link>
            </MenuLink>
            <MenuSeparator />
          </>
        )}
        <MenuLabel>Organizations</MenuLabel>
        <MenuChoices
          value={organization?.slug ?? ''}
          options={organizations.map((it) => ({ value: it.slug, label: it.name }))}
          onChange={(slug) => void navigate({ to: '/o/$org', params: { org: slug } })}
        />
        <MenuItem icon={<Plus aria-hidden />} onSelect={() => setFounding(true)}>
          New organization
        </MenuItem>
      </Menu>
      <NewOrganizationDialog open={founding} onOpenChange={setFounding} />
    </>
  );
}
