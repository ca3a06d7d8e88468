/** Names that other parts of JupyterLab see: plugins, commands, the mime type of a cell's output. */

export const NAMESPACE = 'jupyter-pipeline';
export const PLUGIN = `${NAMESPACE}:plugin`;
/** Domain of the translations. */
export const DOMAIN = 'jupyter_pipeline';

/** What a notebook holds of a pipeline that was shown in it: `{project_id, epoch}`. */
export const VIEW_MIME = 'application/vnd.jupyter-pipeline.view+json';

export const Commands = {
  open: `${NAMESPACE}:open`,
  create: `${NAMESPACE}:create`,
  remove: `${NAMESPACE}:delete`,
  confirm: `${NAMESPACE}:confirm`,
  cancel: `${NAMESPACE}:cancel-run`,
  finish: `${NAMESPACE}:finish-run`,
  restart: `${NAMESPACE}:restart-stage`,
  fromFile: `${NAMESPACE}:build-from-file`,
  ofNotebook: `${NAMESPACE}:open-of-notebook`,
  insertCell: `${NAMESPACE}:insert-cell`,
  showPanel: `${NAMESPACE}:show-panel`
} as const;

/** A project's name made of any text: what a name cannot have becomes a hyphen. */
export function toProjectId(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 64)
    .replace(/[-._]+$/, '');
}

/** The same name, with a number where it is taken. */
export function freeName(name: string, taken: Iterable<string>): string {
  const used = new Set(taken);
  let free = name;
  for (let n = 2; used.has(free); n++) {
    const end = `-${n}`;
    free = name.slice(0, 64 - end.length) + end;
  }
  return free;
}
