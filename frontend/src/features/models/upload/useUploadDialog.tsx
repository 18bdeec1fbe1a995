import { Upload } from 'lucide-react';
import { useState } from 'react';

import { useRefusal } from '@/api/permissions';
import type { Model, ModelVersion } from '@/api/types';
import { useFileDrop } from '@/lib/useFileDrop';
import { toast } from '@/ui/toast';

import { UploadDialog } from './UploadDialog';

interface UploadPage {
  projectId: string;
  /** The model that gets the version; absent, the person chooses or makes one. */
  model?: Model;
  onDone: (version: ModelVersion) => void;
}

/** An upload dialog for a page: opened by a button, or by a file dropped anywhere. */
export function useUploadDialog({ projectId, model, onDone }: UploadPage) {
  const [isOpen, setIsOpen] = useState(false);
  const [files, setFiles] = useState<readonly File[]>([]);
  const show = (chosen: readonly File[]) => {
    setFiles(chosen);
    setIsOpen(true);
  };
  const refusal = useRefusal('models:write');
  const isOver = useFileDrop((dropped) => (refusal === undefined ? show(dropped) : toast.error(refusal)));
  const finish = (version: ModelVersion) => {
    setIsOpen(false);
    onDone(version);
  };
  const dialog = (
    <>
      {isOver && <DropHint model={model} />}
      <UploadDialog projectId={projectId} open={isOpen} onOpenChange={setIsOpen} files={files} onFiles={setFiles} onDone={finish} {...(model ? { model } : {})} />
    </>
  );
  return { open: () => show([]), dialog };
}

const DropHint = ({ model }: { model: Model | undefined }) => (
  <div aria-hidden className="pointer-events-none fixed inset-0 z-50 grid animate-fade place-items-center bg-scrim p-6">
    <div className="flex flex-col items-center gap-3 rounded-card border-2 border-dashed border-accent bg-surface px-10 py-8 text-center shadow-float">
      <Upload className="size-7 text-accent" />
      <p className="text-section">Drop the ONNX file to upload it{model ? ` as a new version of ${model.name}` : ''}</p>
    </div>
  </div>
);
