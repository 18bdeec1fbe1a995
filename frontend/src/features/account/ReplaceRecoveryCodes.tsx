import { Dialog } from '@/ui/Dialog';

import { BothFactorsForm } from './BothFactorsForm';
import { RecoveryCodes } from './RecoveryCodes';
import { useReplaceRecoveryCodes } from './secondFactor';

/** Password and code, then the new codes, which are shown this once. */
export function ReplaceRecoveryCodes({ close }: { close: () => void }) {
  const replace = useReplaceRecoveryCodes();
  return (
    <Dialog open onOpenChange={close} title="New recovery codes" description="The ones you have now stop working." dismissible={!replace.isSuccess}>
      {replace.data ? <RecoveryCodes codes={replace.data.codes} done={close} /> : <BothFactorsForm change={replace} action="Make new codes" variant="primary" close={close} />}
    </Dialog>
  );
}
