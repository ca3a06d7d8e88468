import { LabIcon } from '@jupyterlab/ui-components';

/** Three stages in a line, the last one still open. */
export const pipelineIcon = new LabIcon({
  name: 'jupyter-pipeline:icon',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">' +
    '<g class="jp-icon3" fill="#616161">' +
    '<circle cx="2.75" cy="8" r="2.25"/><rect x="4.5" y="7.25" width="2" height="1.5"/>' +
    '<circle cx="8" cy="8" r="2.25"/><rect x="9.5" y="7.25" width="2" height="1.5"/>' +
    '<path d="M13.25 5.75a2.25 2.25 0 1 0 0 4.5 2.25 2.25 0 0 0 0-4.5zm0 1.25a1 1 0 1 1 0 2 1 1 0 0 1 0-2z"/>' +
    '</g></svg>'
});
