import { Box, ChartSpline, type LucideIcon, Rocket, Zap } from 'lucide-react';
import type { ReactNode } from 'react';

import { useDocumentTitle } from '@/lib/useDocumentTitle';
import { Logo } from '@/ui/Logo';

/** The frame of the pages before signing in: the form, and beside it, where there is room, what awaits. */
export function AuthLayout({ title, subtitle, children, footer }: { title: string; subtitle: string; children: ReactNode; footer: ReactNode }) {
  useDocumentTitle(title);
  return (
    <div className="grid min-h-full lg:grid-cols-[minmax(0,1fr)_minmax(0,1.05fr)]">
      <main className="flex flex-col bg-surface px-5 py-6 sm:px-10">
        <div className="flex items-center gap-2.5">
          <Logo />
          <span className="text-section">Headrace</span>
        </div>
        <div className="mx-auto flex w-full max-w-90 flex-1 flex-col justify-center gap-6 py-10">
          <div className="flex flex-col gap-1">
            <h1 className="text-display">{title}</h1>
            <p className="text-body text-muted">{subtitle}</p>
          </div>
          {children}
          <div className="text-body text-muted">{footer}</div>
        </div>
      </main>
      <aside aria-label="About Headrace" className="relative hidden flex-col justify-center overflow-hidden border-l border-border bg-sunken p-12 lg:flex">
        <Currents />
        <div className="relative mx-auto flex w-full max-w-110 flex-col gap-8">
          <p className="text-display text-balance">From an ONNX file to a watched, low-latency endpoint.</p>
          <ol className="flex flex-col gap-5">
            {STEPS.map((step) => (
              <Step key={step.title} {...step} />
            ))}
          </ol>
        </div>
      </aside>
    </div>
  );
}

interface StepProps {
  icon: LucideIcon;
  title: string;
  text: string;
}

const STEPS: readonly StepProps[] = [
  { icon: Box, title: 'Upload', text: 'Drop a model. Its inputs, outputs and limits are read before anything runs.' },
  { icon: Rocket, title: 'Deploy', text: 'Workers load it, warm it up and say when it is ready.' },
  { icon: Zap, title: 'Call', text: 'The Open Inference Protocol over HTTP, batched for you, under your own keys.' },
  { icon: ChartSpline, title: 'Watch', text: 'Every request counts: latency percentiles, errors and throughput by the minute.' },
];

const Step = ({ icon: Icon, title, text }: StepProps) => (
  <li className="flex gap-4">
    <span className="grid size-9 shrink-0 place-items-center rounded-card border border-border bg-surface text-accent">
      <Icon aria-hidden className="size-4.5" strokeWidth={1.75} />
    </span>
    <div>
      <p className="text-label">{title}</p>
      <p className="text-body text-muted">{text}</p>
    </div>
  </li>
);

/** Still lines of flow behind the words. */
const Currents = () => (
  <svg aria-hidden viewBox="0 0 800 900" preserveAspectRatio="xMidYMid slice" className="absolute inset-0 size-full text-accent opacity-20 mask-[linear-gradient(black,transparent_26%,transparent_74%,black)]">
    {Array.from({ length: 15 }, (_, line) => {
      const y = 40 + line * 62;
      return <path key={line} d={`M-40 ${y}c160 0 160 ${46 - line * 2} 320 ${46 - line * 2}s160 ${line * 2 - 46} 320 ${line * 2 - 46} 160 34 280 34`} fill="none" stroke="currentColor" strokeWidth="1.500" />;
    })}
  </svg>
);
