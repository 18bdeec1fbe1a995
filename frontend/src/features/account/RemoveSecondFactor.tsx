import { Dialog } from '@/ui/Dialog';

import { BothFactorsForm } from './BothFactorsForm';
import { useRefreshMe, useRemove } from './secondFactor';

export function RemoveSecondFactor({ close }: { close: () => void }) {
  const remove = useRemove();
  const refresh = useRefreshMe();
  const finish = () => {
    refresh();
    close();
  };
  return (
    <Dialog open onOpenChange={close} title="Turn off two-factor authentication" description="From then on your password alone lets you in.">
      <BothFactorsForm change={remove} action="Turn off" variant="danger" onSuccess={finish} close={close} />
    </Dialog>
  );
}
