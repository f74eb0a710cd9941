// SPDX-License-Identifier: Apache-2.0
// A folder on its way to the vault: one tar, so that its files keep their paths and times. The tar is
// a Blob of headers and files, of which the browser reads no byte before it is sent: a folder of any
// size needs no memory for what is in it. Format: POSIX.1-2001, "pax Interchange Format".

/** A file of a folder, with its path from the folder's own name on. */
export interface Member {
  path: string;
  file: File;
}

/** What a folder holds, and the paths of what could not be read. */
export interface Listing {
  members: Member[];
  unread: string[];
}

const BLOCK = 512;
/** The largest size that eleven octal digits say. */
const OCTAL = 8 ** 11 - 1;
const utf8 = new TextEncoder();

/** All files below an entry that was dropped. */
export async function listing(entry: FileSystemEntry): Promise<Listing> {
  const found: Listing = { members: [], unread: [] };
  const open = [entry];
  for (let one = open.pop(); one; one = open.pop()) {
    try {
      if (one.isDirectory) open.push(...(await children(one as FileSystemDirectoryEntry)));
      else found.members.push({ path: one.fullPath.slice(1), file: await fileOf(one) });
    } catch {
      found.unread.push(one.fullPath.slice(1));
    }
  }
  return found;
}

/** The files of a folder that was chosen. */
export function chosen(files: Iterable<File>): Member[] {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** The members as one file of the name `name`.tar: the same bytes for the same folder. */
export function tar(name: string, members: Member[]): File {
  const ordered = [...members].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const parts: BlobPart[] = [];
  for (const { path, file } of ordered) {
    const told = records({
      path,
      mtime: (file.lastModified / 1000).toFixed(3),
      ...(file.size > OCTAL && { size: String(file.size) }),
    });
    parts.push(header('x', 'pax', told.length, file.lastModified), told, filling(told.length));
    parts.push(header('0', path, file.size, file.lastModified), file, filling(file.size));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return new File(parts, `${name}.tar`, { type: 'application/x-tar' });
}

/** The entries of a directory; a browser gives them a hundred at a time. */
async function children(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((yes, no) => reader.readEntries(yes, no));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function fileOf(entry: FileSystemEntry): Promise<File> {
  return new Promise((yes, no) => (entry as FileSystemFileEntry).file(yes, no));
}

/** Each is "LENGTH KEY=VALUE\n", where the length counts itself. */
function records(said: Record<string, string>): Uint8Array<ArrayBuffer> {
  const lines = Object.entries(said).map(([key, value]) => {
    const rest = utf8.encode(` ${key}=${value}\n`).length;
    let length = rest + String(rest).length;
    length = rest + String(length).length;
    return `${length} ${key}=${value}\n`;
  });
  return utf8.encode(lines.join(''));
}

function header(kind: string, path: string, size: number, time: number): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string) => block.set(utf8.encode(text), at);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
  block.set(utf8.encode(path).subarray(0, 100), 0);
  put(100, octal(0o644, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(size > OCTAL ? 0 : size, 11));
  put(136, octal(Math.min(Math.max(Math.floor(time / 1000), 0), OCTAL), 11));
  put(148, ' '.repeat(8));
  put(156, kind);
  put(257, 'ustar\x0000');
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${octal(sum, 6)}\0 `);
  return block;
}

/** The zeros up to the next full block. */
function filling(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}
