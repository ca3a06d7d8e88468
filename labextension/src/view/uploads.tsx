/** Data files that are attached: by a button, or dropped on the view. */

import { createContext } from 'preact';
import { useContext, useRef, useState } from 'preact/hooks';
import { messageOf } from '../client/sentences';
import { ACCEPTED } from '../datafiles';
import { useView } from './context';
import { HERE, Icon, Meter, Sentence } from './parts';

/** So long it is said that a file is attached. */
const SAID_MS = 8000;

/** An upload that runs, has just ended, or was refused. */
export interface Upload {
  name: string;
  file: File;
  fraction: number;
  done: boolean;
  problem: string | null;
  cancel(): void;
}

export interface UploadList {
  uploads: Upload[];
  upload(files: Iterable<File>): void;
  forget(file: File): void;
}

/** The uploads of this view, shared by whatever begins or shows one. */
export const UploadContext = createContext<UploadList>({ uploads: [], upload: () => undefined, forget: () => undefined });

export function useUploads(): UploadList {
  const { rest, trans } = useView();
  const [uploads, setUploads] = useState<Upload[]>([]);
  const forget = (file: File): void => setUploads(old => old.filter(u => u.file !== file));
  const change = (file: File, next: Partial<Upload>): void =>
    setUploads(old => old.map(u => (u.file === file ? { ...u, ...next } : u)));
  return {
    uploads,
    forget,
    upload: files => {
      for (const file of files) {
        const abort = new AbortController();
        const started: Upload = { name: file.name, file, fraction: 0, done: false, problem: null, cancel: () => abort.abort() };
        // The file of this name that is on its way is an older one, or the same.
        uploads.forEach(u => u.name === file.name && u.cancel());
        setUploads(old => [...old.filter(u => u.name !== file.name), started]);
        rest.upload(file, { onProgress: fraction => change(file, { fraction }), signal: abort.signal }).then(
          () => {
            change(file, { done: true });
            setTimeout(forget, SAID_MS, file);
          },
          error => (abort.signal.aborted ? forget(file) : change(file, { problem: messageOf(error, trans) }))
        );
      }
    }
  };
}

/** The button that attaches data. */
export function Attach() {
  const { trans } = useView();
  const { upload } = useContext(UploadContext);
  const file = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={file}
        type="file"
        hidden
        multiple
        accept={ACCEPTED}
        aria-label={trans.__('Data file')}
        onChange={e => {
          upload(Array.from(e.currentTarget.files ?? []));
          e.currentTarget.value = '';
        }}
      />
      <button type="button" class="jppl-button" onClick={() => file.current?.click()}>
        <Icon name="attach" />
        {trans.__('Attach data')}
      </button>
    </>
  );
}

/** What is being uploaded, and what was refused. */
export function Uploads() {
  const { trans } = useView();
  const { uploads, upload, forget } = useContext(UploadContext);
  return uploads.length ? (
    <ul class="jppl-uploads">
      {uploads.map(u => (
        <li key={u.name}>
          {u.done ? (
            <span class="jppl-muted" role="status">
              <Sentence text={trans.__('%1 is attached.', HERE)}>
                <span class="jppl-upload-name">{u.name}</span>
              </Sentence>
            </span>
          ) : u.problem === null ? (
            <>
              <span class="jppl-upload-name">{u.name}</span>
              <Meter value={u.fraction} label={trans.__('Uploading %1', u.name)} />
              <button type="button" class="jppl-link" onClick={u.cancel}>
                {trans.__('Stop')}
              </button>
            </>
          ) : (
            <>
              <span class="jppl-upload-name">{u.name}</span>
              <span class="jppl-note-bad" role="alert">
                {u.problem}
              </span>
              <button type="button" class="jppl-link" onClick={() => upload([u.file])}>
                {trans.__('Try again')}
              </button>
              <button type="button" class="jppl-link" onClick={() => forget(u.file)}>
                {trans.__('Close')}
              </button>
            </>
          )}
        </li>
      ))}
    </ul>
  ) : null;
}

/** The data files that the project has. */
export function Attached() {
  const { model, trans } = useView();
  const attached = model.datasets.filter(d => d.source === 'upload');
  return attached.length ? (
    <ul class="jppl-attached" aria-label={trans.__('Attached data')}>
      {attached.map(d => (
        <li key={d.id}>
          <strong>{d.name}</strong> <span class="jppl-muted">{d.desc}</span>
        </li>
      ))}
    </ul>
  ) : null;
}
