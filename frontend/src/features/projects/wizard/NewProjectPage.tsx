import { useNavigate, useSearch } from '@tanstack/react-router';

import { type Organization, useOrganization } from '@/api/organization';
import { Card } from '@/ui/Card';
import { Empty } from '@/ui/Empty';
import { PageHeader } from '@/ui/PageHeader';

import { AboutStep } from './AboutStep';
import { useDraft } from './draft';
import { PeopleStep } from './PeopleStep';
import { ReviewStep } from './ReviewStep';
import { StepList } from './StepList';
import { parseStep, STEPS, type WizardStep } from './steps';

/** Makes a project in three steps; the browser's back goes a step back. */
export function NewProjectPage() {
  const organization = useOrganization();
  if (!organization) return null;
  return (
    <>
      <PageHeader title="New project" context={organization.name}>
        Its models, deployments and keys are kept apart from those of other projects of {organization.name}.
      </PageHeader>
      {organization.role === 'viewer' ? <Empty title="For developers">This needs the role developer; yours is viewer.</Empty> : <Wizard key={organization.id} organization={organization} />}
    </>
  );
}

function Wizard({ organization }: { organization: Organization }) {
  const asked = parseStep(useSearch({ strict: false }));
  const navigate = useNavigate();
  const { draft, change, forget } = useDraft(organization.id);
  // Whoever comes by the address without a name begins at the beginning.
  const step: WizardStep = draft.name ? asked : 'about';
  const go = (to: WizardStep) => void navigate({ to: '.', search: to === 'about' ? {} : { step: to } });
  return (
    <div className="flex flex-col gap-4">
      <StepList current={step} />
      <Card title={STEPS[step]}>
        {step === 'about' && <AboutStep draft={draft} change={change} next={() => go('people')} organization={organization} />}
        {step === 'people' && <PeopleStep draft={draft} change={change} back={() => go('about')} next={() => go('review')} organization={organization} />}
        {step === 'review' && <ReviewStep draft={draft} back={() => go('people')} mend={() => go('about')} forget={forget} organization={organization} />}
      </Card>
    </div>
  );
}
