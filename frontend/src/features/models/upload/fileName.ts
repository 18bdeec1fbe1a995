/** What a chosen file may be, and what its model could be called. */
import { plural } from '@/lib/format';
import { toName } from '@/lib/names';

/** Why these files cannot be uploaded as one version, or null. */
export function refusalOf(files: readonly File[]): string | null {
  const [file, ...others] = files;
  if (!file) return 'Choose an ONNX file.';
  if (others.length > 0) return `You chose ${plural(files.length, 'file')}. One file becomes one version: please upload them one after another.`;
  if (!/\.onnx$/i.test(file.name)) return `“${file.name}” does not end in .onnx. Headrace serves ONNX models: export yours to that format first.`;
  return file.size === 0 ? `“${file.name}” is empty.` : null;
}

/** "Fraud Model_v2.onnx" → "fraud-model-v2". */
export const suggestName = (fileName: string): string => toName(fileName.replace(/\.onnx$/i, '')) || 'model';
