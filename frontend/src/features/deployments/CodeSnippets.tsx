import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { useProject } from '@/api/projects';
import { useSystem } from '@/api/system';
import { Card } from '@/ui/Card';
import { CodeBlock } from '@/ui/CodeBlock';
import { Loaded } from '@/ui/Loaded';
import { Segments } from '@/ui/Segments';

import type { InferRequest } from './playground/form';
import { LANGUAGES, SNIPPETS, type SnippetLanguage, targetOf } from './snippets';

const OPTIONS = LANGUAGES.map((value) => ({ value, label: SNIPPETS[value].label }));

/** How to call a deployment from outside, with the request that the "try it" form holds. */
export function CodeSnippets({ deployment, request }: { deployment: string; request: InferRequest | null }) {
  const project = useProject();
  const system = useSystem();
  const [language, setLanguage] = useState<SnippetLanguage>('curl');
  return (
    <Loaded query={system}>
      {({ inference_url: address }) => {
        const target = targetOf(address, deployment);
        return (
          <div className="flex flex-col gap-6">
            <Card title="Inference address">
              <CodeBlock code={`${target.inferenceUrl}/v2/models/${encodeURIComponent(deployment)}/infer`} label="Inference address" />
            </Card>
            <Card title="Call it from your code" actions={<Segments label="Language" value={language} options={OPTIONS} onChange={setLanguage} />}>
              <div className="flex flex-col gap-3">
                <p className="text-body text-muted">
                  Calls need an API key of this project in <code className="font-mono text-code">HEADRACE_API_KEY</code>.{' '}
                  <Link to="/o/$org/p/$project/keys" params={{ org: project.organization_slug, project: project.slug }} className="link">
                    Create a key
                  </Link>
                </p>
                {request ? (
                  <CodeBlock code={SNIPPETS[language].write(target, request)} label={`${language} snippet`} />
                ) : (
                  <p className="text-body text-warn">Fill in a complete request under “Try it” first: it becomes the example here.</p>
                )}
              </div>
            </Card>
          </div>
        );
      }}
    </Loaded>
  );
}
