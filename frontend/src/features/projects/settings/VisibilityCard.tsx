import { useRefusal } from '@/api/permissions';
import { messageOf } from '@/api/problem';
import type { Project } from '@/api/types';
import { Card } from '@/ui/Card';
import { FormProblem, Radio } from '@/ui/Field';
import { toast } from '@/ui/toast';

import { useSetVisibility } from '../queries';
import { VISIBILITIES } from '../visibility';

/** Who sees the project. */
export function VisibilityCard({ project }: { project: Project }) {
  const setting = useSetVisibility(project.id);
  const refusal = useRefusal('projects:share');
  return (
    <Card title="Who sees it">
      <fieldset disabled={refusal !== undefined || setting.isPending} className="flex flex-col gap-3">
        <legend className="sr-only">Who sees it</legend>
        {VISIBILITIES.map(({ value, title, text }) => (
          <Radio
            key={value}
            name="visibility"
            label={title}
            hint={text}
            checked={project.visibility === value}
            onChange={() => setting.mutate(value, { onSuccess: () => toast.success('Saved') })}
          />
        ))}
      </fieldset>
      {refusal && <p className="pt-3 text-caption text-subtle">{refusal}</p>}
      <FormProblem message={setting.error ? messageOf(setting.error) : undefined} />
    </Card>
  );
}
