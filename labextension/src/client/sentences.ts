/**
 * What the client itself has to say to people. It says it as a code with parts, so that whoever shows it can say it in
 * the reader's language; the client's own text beside it is English.
 */

import { english } from '../translation';
import type { Translation } from '../translation';

export type SentenceCode =
  | 'UNREACHABLE'
  | 'UNREACHABLE_AT'
  | 'NO_ANSWER'
  | 'ANSWERED'
  | 'CUT'
  | 'GOING_DOWN'
  | 'FLOODING'
  | 'NO_RIGHT'
  | 'BLOCKED'
  | 'NO_EXTENSION'
  | 'BAD_TOKEN'
  | 'LOG_IN'
  | 'INSECURE'
  | 'CLOSED'
  | 'DELETED'
  | 'NOT_DONE'
  | 'OTHER_PROJECT'
  | 'NOT_SENT'
  | 'EXPIRED'
  | 'TOO_LARGE'
  | 'TOO_LARGE_FOR_SERVER'
  | 'FOREIGN_ASSET'
  | 'UPLOAD_STOPPED'
  | 'KERNEL_ENDED'
  | 'KERNEL_UNSENT'
  | 'VIEW_CLOSED';

export interface Sentence {
  code: SentenceCode;
  /** What the sentence names: an address, a number. */
  args: readonly (string | number)[];
}

export function say(code: SentenceCode, ...args: (string | number)[]): Sentence {
  return { code, args };
}

/** What a server means by the code with which it closes a socket; 1008 is for two things, which its words tell apart. */
export function closedWith(code: number, reason: string): SentenceCode {
  if (code === 1008) {
    return reason.startsWith('You may no longer') ? 'NO_RIGHT' : 'FLOODING';
  }
  return code === 1001 ? 'GOING_DOWN' : 'CUT';
}

/** A sentence as text. */
export function textOf({ code, args }: Sentence, trans: Translation = english): string {
  switch (code) {
    case 'UNREACHABLE':
      return trans.__('The server cannot be reached.');
    case 'UNREACHABLE_AT':
      return trans.__(
        'The server at %1 cannot be reached. If it runs and this page is of another origin, the server has to allow ' +
          "that: jupyter lab --ServerApp.allow_origin='%2'",
        ...args
      );
    case 'NO_ANSWER':
      return trans.__('The server did not answer.');
    case 'ANSWERED':
      return trans.__('The server answered %1.', ...args);
    case 'CUT':
      return trans.__('The connection was cut.');
    case 'GOING_DOWN':
      return trans.__('The server is going down.');
    case 'FLOODING':
      return trans.__('Too much was sent at once; the server closed the connection for a moment.');
    case 'NO_RIGHT':
      return trans.__('You may no longer read this project.');
    case 'BLOCKED':
      return trans.__('The server answers, but its socket cannot be opened; a proxy may block WebSockets.');
    case 'NO_EXTENSION':
      return trans.__(
        'This Jupyter server does not have the pipeline extension, or it is off: ' +
          'jupyter server extension enable jupyter_pipeline'
      );
    case 'BAD_TOKEN':
      return trans.__('The server does not accept the token; get a new one from "jupyter server list".');
    case 'LOG_IN':
      return trans.__('The server asks who you are; log in, or give a token.');
    case 'INSECURE':
      return trans.__('This page may not open %1; a page that came over https needs a server with https.', ...args);
    case 'CLOSED':
      return trans.__('The connection was closed.');
    case 'DELETED':
      return trans.__('The project was deleted.');
    case 'NOT_DONE':
      return trans.__('The project was deleted; the message was not carried out.');
    case 'OTHER_PROJECT':
      return trans.__(
        'What waited to be sent was for a project of the same name that was deleted; it was not sent to the one that there ' +
          'is now.'
      );
    case 'NOT_SENT':
      return trans.__('There is no connection any more; the message was not sent.');
    case 'EXPIRED':
      return trans.__('A message that could not be sent for a day was given up.');
    case 'TOO_LARGE':
      return trans.__('A message may have %1 bytes; upload large data instead.', ...args);
    case 'TOO_LARGE_FOR_SERVER':
      return trans.__('The message was too large for the server; upload large data instead.');
    case 'FOREIGN_ASSET':
      return trans.__('The asset %1 is not of this server.', ...args);
    case 'UPLOAD_STOPPED':
      return trans.__('The upload was stopped.');
    case 'KERNEL_ENDED':
      return trans.__('The kernel was restarted or ended. Run the cell again to go on.');
    case 'KERNEL_UNSENT':
      return trans.__('The kernel ended before this was sent.');
    case 'VIEW_CLOSED':
      return trans.__('The view was closed.');
  }
}

/** What every error of the server begins with, as its format is documented. */
const FAILED = 'Failed to process message: ';

/** An error's message in the documented format. */
export function failed(text: string): string {
  return FAILED + text;
}

/** What people read of an error's message. */
export function bare(message: string): string {
  return message.startsWith(FAILED) ? message.slice(FAILED.length) : message;
}

/** What an error says to people, in their language where the client said it; what a server said stays as it is. */
export function messageOf(error: unknown, trans: Translation): string {
  const { sentence, message, reason } = (typeof error === 'object' && error !== null ? error : {}) as {
    sentence?: Sentence;
    message?: unknown;
    reason?: unknown;
  };
  return sentence ? textOf(sentence, trans) : bare(String(message ?? reason ?? error ?? ''));
}
