// SPDX-License-Identifier: Apache-2.0
// A plan for somebody who has never done this: what would happen, what it breaks, how it is undone.
import {
  Ban,
  Check,
  ChevronDown,
  ChevronRight,
  CircleAlert,
  Info,
  Layers,
  Undo2,
  Zap,
} from 'lucide-react';
import { Fragment, useState } from 'react';
import type { Proposal } from '../api/contract';
import { counted } from '../text/number';
import { Value } from '../text/Value';
import styles from './plan.module.css';
import sheet from './respond.module.css';
import { breakage, firstCopy, fromHere, summary, volatility } from './telling';

export function PlanView(props: { plan: Proposal; place?: string }) {
  const { plan } = props;
  const broken = breakage(plan);
  const danger = plan.verb === 'isolate';
  return (
    <article className={styles.plan} data-danger={danger || undefined} aria-label={plan.title}>
      <header className={styles.planHead}>
        <h2>
          {props.place && <span className={styles.place}>{props.place}</span>}
          {plan.title}
        </h2>
        <p>
          {plan.harm && <strong>{plan.harm} </strong>}
          {summary(plan)} {plan.verb === 'collect' && volatility(plan)}
        </p>
      </header>
      {plan.refusals.map((text) => (
        <Note key={text} tone="bad" icon={Ban} title="This will not be done">
          <Value text={text} limit={1000} />
        </Note>
      ))}
      {plan.missing.length > 0 && (
        <Note tone="bad" icon={CircleAlert} title="Not allowed to Locard in this account">
          <Value text={plan.missing.join(', ')} limit={2000} />. The steps that need it would fail.
          The policy that allows it stands under Respond, Accounts.
        </Note>
      )}
      {broken.length > 0 && (
        <section className={styles.part}>
          <h3>{danger ? 'What stops working' : 'What it leaves behind'}</h3>
          <ul className={styles.breaks}>
            {broken.map((text) => (
              <li key={text}>
                <Zap size={13} aria-hidden />
                <span>
                  <Value text={text} limit={600} />
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section className={styles.part}>
        <h3>What is done, in this order</h3>
        <Steps plan={plan} />
      </section>
      {plan.warnings.length > 0 && (
        <section className={styles.part}>
          <h3>Good to know</h3>
          <ul className={styles.breaks}>
            {plan.warnings.map((text) => (
              <li key={text} data-quiet>
                <Info size={13} aria-hidden />
                <span>
                  <Value text={text} limit={600} />
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {plan.unknown.length > 0 && (
        <p className={styles.small}>
          Whether these are allowed shows only when they are made:{' '}
          <span className="mono">
            <Value text={plan.unknown.join(', ')} limit={2000} />
          </span>
        </p>
      )}
    </article>
  );
}

const FEW = 6;

function Steps(props: { plan: Proposal }) {
  const { plan } = props;
  const [all, setAll] = useState(plan.verb === 'isolate');
  const steps = all ? plan.steps : plan.steps.slice(0, FEW);
  const first = firstCopy(plan.steps);
  return (
    <>
      <ol className={styles.steps}>
        {steps.map((one) => (
          <Fragment key={one.key}>
            {one.key === first && (
              <li>
                <FromHere target={plan.target.id} />
              </li>
            )}
            <li className={styles.step}>
              <span className={styles.stepText}>
                <Value text={one.title} limit={400} />
                {one.breaks.map((text) => (
                  <small key={text} className={sheet.breaking}>
                    <Value text={text} limit={400} />
                  </small>
                ))}
                <Call call={one.call} given={one.arguments} />
              </span>
              <span className={styles.undo}>
                {!one.changes ? (
                  <span className="faint">
                    <Check size={12} aria-hidden /> only reads
                  </span>
                ) : one.undo_title ? (
                  <span className="muted">
                    <Undo2 size={12} aria-hidden /> <Value text={one.undo_title} limit={300} />
                  </span>
                ) : (
                  <span className={styles.final}>
                    <CircleAlert size={12} aria-hidden /> stays; nothing puts it back
                  </span>
                )}
              </span>
            </li>
          </Fragment>
        ))}
      </ol>
      {plan.steps.length > FEW && plan.verb !== 'isolate' && (
        <button type="button" className={styles.more} onClick={() => setAll(!all)}>
          {all ? 'Fewer' : `All ${counted(plan.steps.length, 'call')}`}
        </button>
      )}
    </>
  );
}

/** The line between what needs the target and what reads a copy that stands. */
export function FromHere(props: { target: string }) {
  return (
    <span className={styles.fromHere}>
      <Layers size={13} aria-hidden />
      <Value text={fromHere(props.target)} limit={300} />
    </span>
  );
}

/** The call itself, with what is handed over a click away. */
export function Call(props: { call: string; given: unknown }) {
  const [open, setOpen] = useState(false);
  const Icon = open ? ChevronDown : ChevronRight;
  return (
    <span className={styles.call}>
      <button
        type="button"
        aria-expanded={open}
        aria-label={`${props.call}: what is handed over`}
        onClick={() => setOpen(!open)}
      >
        <Icon size={11} aria-hidden />
        <Value text={props.call} limit={120} />
      </button>
      {open && (
        <pre className={sheet.given}>
          <Value text={JSON.stringify(props.given, null, 1)} limit={4000} lines />
        </pre>
      )}
    </span>
  );
}

export function Note(props: {
  tone: 'bad' | 'warn' | 'busy' | 'good';
  icon: typeof Info;
  title: string;
  children?: React.ReactNode;
}) {
  const Icon = props.icon;
  return (
    <div
      className={styles.note}
      data-tone={props.tone}
      role={props.tone === 'bad' ? 'alert' : 'note'}
    >
      <Icon size={15} aria-hidden />
      <div>
        <strong>{props.title}</strong>
        {props.children && <p>{props.children}</p>}
      </div>
    </div>
  );
}
