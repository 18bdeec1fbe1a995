/** The way to a project. */
export const STEPS = { about: 'What it is', people: 'Who sees it', review: 'Look it over' } as const;
export type WizardStep = keyof typeof STEPS;

export const parseStep = ({ step }: Record<string, unknown>): WizardStep => (step === 'people' || step === 'review' ? step : 'about');
