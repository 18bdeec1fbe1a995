import { Component, type ReactNode } from 'react';

import { Button } from '@/ui/Button';

interface State {
  error: Error | null;
}

/** The last line of defence: what no route could answer. React offers error boundaries only as classes. */
export class AppBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: Error): State {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <main className="mx-auto flex min-h-full max-w-120 flex-col items-start justify-center gap-4 p-6">
        <h1 className="text-display">The console stopped working</h1>
        <p className="text-body text-muted">This is a fault of ours. Nothing on the server was changed by it. Reloading the page usually helps.</p>
        <pre className="max-w-full overflow-x-auto rounded-control bg-sunken p-3 font-mono text-code">{error.message}</pre>
        <Button variant="primary" onClick={() => location.reload()}>
          Reload
        </Button>
      </main>
    );
  }
}
