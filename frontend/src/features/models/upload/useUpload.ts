import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';

import { createModel, deleteModel } from '@/api/models';
import { refreshProject } from '@/api/refreshProject';
import { sendFile } from '@/api/sendFile';
import type { ModelVersion } from '@/api/types';
import type { Progress } from '@/ui/UploadProgress';


/** Which model the file becomes a version of. */
export type Destination = { kind: 'new'; name: string } | { kind: 'existing'; modelId: string };

export interface UploadRequest {
  file: File;
  destination: Destination;
}

/** One upload at a time: starts it, tells how far it is, and ends it when asked or when its component goes. */
export function useUpload(projectId: string, onDone: (version: ModelVersion) => void) {
  const queryClient = useQueryClient();
  const [progress, setProgress] = useState<Progress | null>(null);
  const controller = useRef<AbortController>(null);

  const uploading = useMutation({
    mutationFn: ({ file, destination }: UploadRequest) => {
      const { signal } = (controller.current = new AbortController());
      const startedAt = Date.now();
      const onProgress = (sent: number) => setProgress({ sent, total: file.size, startedAt, now: Date.now() });
      const send = (modelId: string) => sendFile<ModelVersion>(versionsUrl(projectId, modelId, file), file, { onProgress, signal });
      onProgress(0);
      const sending = destination.kind === 'existing' ? send(destination.modelId) : sendFirstVersion(projectId, destination.name, send);
      return sending.finally(() => {
        controller.current = null;
      });
    },
    onSuccess: onDone,
    onSettled: () => {
      setProgress(null);
      refreshProject(queryClient, projectId);
    },
  });

  useEffect(() => () => controller.current?.abort(), []);

  const cancelled = uploading.error instanceof DOMException && uploading.error.name === 'AbortError';
  return {
    start: uploading.mutate,
    cancel: () => controller.current?.abort(),
    reset: uploading.reset,
    isUploading: uploading.isPending,
    /** The same at this very moment, before React has drawn it. */
    isUnderWay: () => controller.current !== null,
    progress,
    error: cancelled ? null : uploading.error,
  };
}

const versionsUrl = (projectId: string, modelId: string, file: File) =>
  `/api/v1/projects/${projectId}/models/${modelId}/versions?file_name=${encodeURIComponent(file.name)}`;

/** A model made for this file goes again if the file is refused: an empty model would only be in the way. */
async function sendFirstVersion(projectId: string, name: string, send: (modelId: string) => Promise<ModelVersion>): Promise<ModelVersion> {
  const { id } = await createModel(projectId, name);
  try {
    return await send(id);
  } catch (error) {
    await deleteModel(projectId, id).catch(() => undefined);
    throw error;
  }
}
