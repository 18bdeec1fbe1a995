import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';

import { useProject } from '@/api/projects';
import { useSystem } from '@/api/system';
import type { Deployment } from '@/api/types';
import { Card } from '@/ui/Card';
import { CodeBlock } from '@/ui/CodeBlock';
import { Loaded } from '@/ui/Loaded';
import { Segments } from '@/ui/Segments';

import type { InferRequest } from './playground/form';
import { PREDICT_LANGUAGES, PREDICT_SNIPPETS, type PredictLanguage, predictAddress } from './predictSnippets';
import { rowsOf } from './rows';
import { LANGUAGES, SNIPPETS, type SnippetLanguage, type Target, targetOf } from './snippets';

const labelled = <Language extends SnippetLanguage>(languages: readonly Language[]) => languages.map((value) => ({ value, label: SNIPPETS[value].label }));
const PREDICT_OPTIONS = labelled(PREDICT_LANGUAGES);
const OPTIONS = labelled(LANGUAGES);

/** How to call a deployment from outside, with the request that the "try it" form holds. */
export function CodeSnippets({ deployment, request }: { deployment: Deployment; request: InferRequest | null }) {
  const system = useSystem();
  return (
    <Loaded query={system}>
      {({ inference_url: address }) => {
        const target = targetOf(address, deployment.name);
        return (
          <div className="flex flex-col gap-6">
            <KeyNeeded />
            <ByFeatureName target={target} deployment={deployment} request={request} />
            <ByTensor target={target} request={request} />
          </div>
        );
      }}
    </Loaded>
  );
}

function KeyNeeded() {
  const { organization_slug: org, slug } = useProject();
  return (
    <p className="text-body text-muted">
      Calls need an API key of this project in <code className="font-mono text-code">HEADRACE_API_KEY</code>.{' '}
      <Link to="/o/$org/p/$project/keys" params={{ org, project: slug }} className="link">
        Create a key
      </Link>
    </p>
  );
}

function ByFeatureName({ target, deployment, request }: { target: Target; deployment: Deployment; request: InferRequest | null }) {
  const [language, setLanguage] = useState<PredictLanguage>('curl');
  const { inputs, metadata } = deployment.revision.model_version;
  return (
    <Card title="By feature name" actions={<Segments label="Language by feature name" value={language} options={PREDICT_OPTIONS} onChange={setLanguage} />}>
      <Snippet
        address={predictAddress(target)}
        code={request && PREDICT_SNIPPETS[language](target, rowsOf(request, inputs, metadata))}
        label={`${language} snippet by feature name`}
      >
        JSON rows in, predictions with their labels out.{' '}
        <a href={`${predictAddress(target)}/docs`} target="_blank" rel="noreferrer" className="link">
          API docs of this deployment
        </a>
      </Snippet>
    </Card>
  );
}

function ByTensor({ target, request }: { target: Target; request: InferRequest | null }) {
  const [language, setLanguage] = useState<SnippetLanguage>('curl');
  return (
    <Card title="Open Inference Protocol" actions={<Segments label="Language" value={language} options={OPTIONS} onChange={setLanguage} />}>
      <Snippet
        address={`${target.inferenceUrl}/v2/models/${encodeURIComponent(target.deployment)}/infer`}
        code={request && SNIPPETS[language].write(target, request)}
        label={`${language} snippet`}
      >
        Tensors in and out, in JSON or binary: for the clients of Triton, KServe and MLServer.
      </Snippet>
    </Card>
  );
}

/** Where to send, what for, and the code; null while there is no complete request. */
function Snippet({ address, code, label, children }: { address: string; code: string | null; label: string; children: ReactNode }) {
  return (
    <div className="flex flex-col gap-3">
      <p className="text-body text-muted">{children}</p>
      <CodeBlock code={address} label={`Address of the ${label}`} />
      {code === null ? (
        <p className="text-body text-warn">Fill in a complete request under “Try it” first: it becomes the example here.</p>
      ) : (
        <CodeBlock code={code} label={label} />
      )}
    </div>
  );
}
