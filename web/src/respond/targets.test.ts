// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import type { CloudAction } from '../api/contract';
import { meant, pivots } from './targets';

const action = (id: string, kind: string, names: string) =>
  ({ id, kind, names, verb: id.split('.')[0] }) as CloudAction;
const ACTIONS = [
  action('collect.aws.disks', 'instance', '(?:arn:.*/)?(?P<id>i-[0-9a-f]{8,17})'),
  action('isolate.aws.instance', 'instance', '(?:arn:.*/)?(?P<id>i-[0-9a-f]{8,17})'),
  action('isolate.aws.key', 'key', '(?P<id>AKIA[A-Z0-9]{12,28})'),
  action('isolate.odd', 'odd', '(unclosed'),
];

test('a name is a target of the actions whose expression it matches as a whole', () => {
  const found = meant(ACTIONS, ' i-0abc1234def567890 ').map((one) => one.id);
  expect(found).toEqual(['collect.aws.disks', 'isolate.aws.instance']);
  expect(meant(ACTIONS, 'web-i-0abc1234def567890')).toEqual([]);
  expect(meant(ACTIONS, '')).toEqual([]);
});

test('an event offers what it names once, and only what something can be done to', () => {
  const one = {
    resource: 'arn:aws:ec2:eu-central-1:1:instance/i-0abc1234def567890, bucket',
    host: 'web-01',
    attributes: {
      'userIdentity.accessKeyId': 'AKIAABCDEFGHIJKLMNOP',
      again: 'AKIAABCDEFGHIJKLMNOP',
    },
  };
  expect(pivots(ACTIONS, one)).toEqual([
    {
      target: 'arn:aws:ec2:eu-central-1:1:instance/i-0abc1234def567890',
      kind: 'instance',
      verbs: ['collect', 'isolate'],
    },
    { target: 'AKIAABCDEFGHIJKLMNOP', kind: 'key', verbs: ['isolate'] },
  ]);
  expect(pivots(ACTIONS, { resource: 'reports' })).toEqual([]);
});
