import { EOF } from './chevrotain.ts';
import { ExpressionGrammar } from './expression-grammar.ts';
import * as t from './tokens.ts';

/** Bodies and the statements in them. */
export abstract class StatementGrammar extends ExpressionGrammar {
  protected readonly body = this.RULE('body', () => {
    const open = this.CONSUME(t.LBrace);
    // Not a MANY: what cannot begin a statement shall be reported as one, and the loop go on behind it.
    if (this.RECORDING_PHASE) this.SUBRULE(this.statement);
    while (this.more(() => !this.at(t.RBrace) && !this.at(EOF) && !this.atDeclaration())) {
      this.recovering(
        () => this.SUBRULE(this.statement),
        start => this.skipStatement(start),
      );
    }
    const closed = this.OPTION(() => this.CONSUME(t.RBrace));
    this.ACTION(() => {
      if (closed === undefined) this.noteUnclosed(open);
    });
  });

  private readonly statement = this.RULE('statement', () => {
    this.OR({
      IGNORE_AMBIGUITIES: true,
      DEF: [
        // First, since any keyword may be a name that is bound.
        { GATE: () => this.bindsName(), ALT: () => this.SUBRULE(this.binding) },
        { ALT: () => this.SUBRULE(this.declare) },
        { ALT: () => this.SUBRULE(this.metric) },
        { ALT: () => this.SUBRULE(this.step) },
        { ALT: () => this.SUBRULE(this.minimize) },
        { ALT: () => this.SUBRULE(this.repeat) },
        { ALT: () => this.SUBRULE(this.returns) },
        { ALT: () => this.SUBRULE(this.yields) },
        { ALT: () => this.SUBRULE(this.tuple) },
        // Last, so that `f(x)` alone fails behind `f`, where `=` is missing.
        { ALT: () => this.SUBRULE2(this.binding) },
      ],
      ERR_MSG: 'a statement or `}`',
    });
  });

  private readonly declare = this.RULE('declare', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Data, { LABEL: 'role' }) },
      { ALT: () => this.CONSUME(t.ParamWord, { LABEL: 'role' }) },
      { ALT: () => this.CONSUME(t.State, { LABEL: 'role' }) },
    ]);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.type);
    this.OPTION(() => {
      this.CONSUME(t.Equals);
      this.SUBRULE(this.expr);
    });
  });

  private readonly binding = this.RULE('binding', () => {
    this.CONSUME(t.Identifier);
    this.OR({
      DEF: [{ ALT: () => this.CONSUME(t.Equals) }, { ALT: () => this.CONSUME(t.LeftArrow) }],
      ERR_MSG: '`=` or `<-`',
    });
    this.SUBRULE(this.expr);
  });

  private readonly tuple = this.RULE('tuple', () => {
    this.CONSUME(t.LParen);
    this.AT_LEAST_ONE_SEP({
      SEP: t.Comma,
      DEF: () => this.CONSUME(t.Identifier),
      ERR_MSG: 'a name to bind',
    });
    this.CONSUME(t.RParen);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
  });

  private readonly metric = this.RULE('metric', () => {
    this.CONSUME(t.Metric);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
  });

  private readonly step = this.RULE('step', () => {
    this.CONSUME(t.Step);
    this.CONSUME(t.Identifier);
    this.OPTION(() => {
      this.CONSUME(t.Every);
      this.CONSUME(t.NumberLiteral);
    });
    this.SUBRULE(this.body);
  });

  private readonly minimize = this.RULE('minimize', () => {
    this.CONSUME(t.Minimize);
    this.SUBRULE(this.expr);
    this.CONSUME(t.Over);
    this.AT_LEAST_ONE_SEP({
      SEP: t.Comma,
      DEF: () => this.SUBRULE(this.target),
      ERR_MSG: 'what to update',
    });
  });

  private readonly target = this.RULE('target', () => {
    this.AT_LEAST_ONE_SEP({
      SEP: t.Comma,
      DEF: () => this.SUBRULE(this.post),
      ERR_MSG: 'what to update',
    });
    this.CONSUME(t.By);
    this.SUBRULE(this.expr);
  });

  private readonly repeat = this.RULE('repeat', () => {
    this.CONSUME(t.Repeat);
    this.OPTION({
      GATE: () => this.at(t.In, 2),
      DEF: () => {
        this.CONSUME(t.Identifier);
        this.CONSUME(t.In);
      },
    });
    this.SUBRULE(this.expr);
    this.SUBRULE(this.body);
  });

  private readonly returns = this.RULE('returns', () => {
    this.CONSUME(t.Return);
    this.AT_LEAST_ONE_SEP({
      SEP: t.Comma,
      DEF: () => this.SUBRULE(this.expr),
      ERR_MSG: 'an expression',
    });
  });

  private readonly yields = this.RULE('yields', () => {
    this.CONSUME(t.Yield);
    this.AT_LEAST_ONE_SEP({
      SEP: t.Comma,
      DEF: () => this.SUBRULE(this.expr),
      ERR_MSG: 'an expression',
    });
  });

  private bindsName(): boolean {
    return this.at(t.Equals, 2) || this.at(t.LeftArrow, 2);
  }
}
