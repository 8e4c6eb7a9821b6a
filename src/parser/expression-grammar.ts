import type { TokenType } from 'chevrotain';
import { EOF } from './chevrotain.ts';
import type { Rule } from './recovery.ts';
import { ShapeGrammar } from './shape-grammar.ts';
import * as t from './tokens.ts';

/** What stands after the length of a `repeat` only if that `repeat` was a name. */
const notInLength: ReadonlySet<TokenType> = new Set([
  EOF,
  t.RBrace,
  t.Comma,
  t.Arrow,
  t.Equals,
  t.LeftArrow,
  t.Colon,
  t.RParen,
  t.RBracket,
]);
/** How far to look for the brace that tells `repeat n { … }` from a value named `repeat`. */
const REPEAT_LOOKAHEAD = 100;

/**
 * Expressions. Binary operators come in two flat levels, arithmetic and logic; precedence within a
 * level is made when the tree is built, which saves a rule (and its stack) for every level.
 */
export abstract class ExpressionGrammar extends ShapeGrammar {
  protected abstract readonly body: Rule;

  /** An expression alone, as after `-D name=`. */
  readonly standalone = this.RULE('standalone', () => {
    this.SUBRULE(this.expr);
    this.CONSUME(EOF);
  });

  protected readonly expr = this.RULE('expr', () => {
    this.SUBRULE(this.logic);
    this.MANY(() => {
      this.CONSUME(t.Arrow);
      this.SUBRULE(this.stage);
    });
  });

  private readonly stage = this.RULE('stage', () => {
    this.OPTION({
      GATE: () => this.at(t.Colon, 2),
      DEF: () => {
        this.CONSUME(t.Identifier, { LABEL: 'label' });
        this.CONSUME(t.Colon);
      },
    });
    this.OR({
      DEF: [
        { GATE: () => this.atRepeat(), ALT: () => this.SUBRULE(this.repeatStage), IGNORE_AMBIGUITIES: true },
        { ALT: () => this.SUBRULE(this.post) },
      ],
      ERR_MSG: 'a layer or a function to apply',
    });
  });

  private readonly repeatStage = this.RULE('repeatStage', () => {
    this.CONSUME(t.Repeat);
    this.OPTION({
      GATE: () => this.at(t.In, 2),
      DEF: () => {
        this.CONSUME(t.Identifier);
        this.CONSUME(t.In);
      },
    });
    this.SUBRULE(this.logic);
    this.CONSUME(t.LBrace);
    this.SUBRULE(this.stage);
    this.MANY(() => {
      this.CONSUME(t.Arrow);
      this.SUBRULE2(this.stage);
    });
    this.CONSUME(t.RBrace);
  });

  private readonly logic = this.RULE('logic', () => {
    this.SUBRULE(this.arithmetic, { LABEL: 'operand' });
    this.MANY(() => {
      this.CONSUME(t.LogicOperator, { LABEL: 'operator' });
      this.SUBRULE2(this.arithmetic, { LABEL: 'operand' });
    });
  });

  protected readonly arithmetic = this.RULE('arithmetic', () => {
    this.SUBRULE(this.power, { LABEL: 'operand' });
    this.MANY(() => {
      this.CONSUME(t.ArithmeticOperator, { LABEL: 'operator' });
      this.SUBRULE2(this.power, { LABEL: 'operand' });
    });
  });

  private readonly power = this.RULE('power', () => {
    this.SUBRULE(this.factor);
    this.MANY(() => {
      this.CONSUME(t.Caret);
      this.SUBRULE2(this.factor);
    });
  });

  private readonly factor = this.RULE('factor', () => {
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.Minus, { LABEL: 'prefix' }) },
        { ALT: () => this.CONSUME(t.Not, { LABEL: 'prefix' }) },
      ]);
    });
    this.OPTION(() => this.CONSUME(t.Infer));
    this.SUBRULE(this.post);
  });

  protected readonly post = this.RULE('post', () => {
    this.SUBRULE(this.primary);
    this.MANY({ GATE: () => this.continues(), DEF: () => this.SUBRULE(this.suffix) });
  });

  private readonly suffix = this.RULE('suffix', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.args) },
      { ALT: () => this.SUBRULE(this.index) },
      {
        ALT: () => {
          this.CONSUME(t.Dot);
          this.CONSUME(t.Identifier);
        },
      },
    ]);
  });

  private readonly primary = this.RULE('primary', () => {
    this.OR({
      DEF: [
        { ALT: () => this.CONSUME(t.NumberLiteral) },
        { ALT: () => this.CONSUME(t.StringLiteral) },
        { ALT: () => this.CONSUME(t.Identifier) },
        { ALT: () => this.SUBRULE(this.group) },
        { ALT: () => this.SUBRULE(this.list) },
        { ALT: () => this.SUBRULE(this.conditional) },
        { ALT: () => this.SUBRULE(this.scan) },
      ],
      ERR_MSG: 'an expression',
    });
  });

  private readonly group = this.RULE('group', () => {
    this.CONSUME(t.LParen);
    this.SUBRULE(this.expr);
    this.CONSUME(t.RParen);
  });

  private readonly list = this.RULE('list', () => {
    this.CONSUME(t.LBracket);
    this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.expr) });
    this.CONSUME(t.RBracket);
  });

  /** Children `expr`: condition and value of each branch in turn, the last value alone. */
  private readonly conditional = this.RULE('conditional', () => {
    this.SUBRULE(this.branch);
    this.MANY({
      GATE: () => this.at(t.If, 2),
      DEF: () => {
        this.CONSUME(t.Else);
        this.SUBRULE2(this.branch);
      },
    });
    this.CONSUME2(t.Else);
    this.CONSUME(t.LBrace);
    this.SUBRULE(this.expr);
    this.CONSUME(t.RBrace);
  });

  private readonly branch = this.RULE('branch', () => {
    this.CONSUME(t.If);
    this.SUBRULE(this.expr, { LABEL: 'condition' });
    this.CONSUME(t.LBrace);
    this.SUBRULE2(this.expr, { LABEL: 'value' });
    this.CONSUME(t.RBrace);
  });

  private readonly scan = this.RULE('scan', () => {
    this.CONSUME(t.Scan);
    this.SUBRULE(this.args);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.In);
    this.SUBRULE(this.expr);
    this.CONSUME(t.Carry);
    this.AT_LEAST_ONE_SEP({
      SEP: t.Comma,
      DEF: () => this.SUBRULE(this.carried),
      ERR_MSG: 'a name to carry',
    });
    this.SUBRULE(this.body);
  });

  private readonly carried = this.RULE('carried', () => {
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expr);
  });

  private readonly args = this.RULE('args', () => {
    this.CONSUME(t.LParen);
    this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.arg) });
    this.CONSUME(t.RParen);
  });

  private readonly arg = this.RULE('arg', () => {
    this.OPTION({
      GATE: () => this.at(t.Equals, 2),
      DEF: () => {
        this.CONSUME(t.Identifier);
        this.CONSUME(t.Equals);
      },
    });
    this.SUBRULE(this.expr);
  });

  /** `(` and `[` belong to the value before them only on the line where it ends. */
  private continues(): boolean {
    return this.at(t.Dot) || !this.firstOnLine();
  }

  /** Whether `repeat` begins `repeat [i in] length {`; if not, it is a name. */
  private atRepeat(): boolean {
    let at = this.at(t.Identifier, 2) && this.at(t.In, 3) ? 4 : 2;
    let depth = 0;
    let afterOperand = false;
    for (const end = at + REPEAT_LOOKAHEAD; at < end; at++) {
      const type = this.LA(at).tokenType;
      if (depth === 0) {
        if (type === t.LBrace) return true;
        const operand = this.at(t.Identifier, at) || type === t.NumberLiteral;
        // Two operands side by side: the next statement has begun.
        if (notInLength.has(type) || (operand && afterOperand)) return false;
        afterOperand = operand;
      }
      if (type === t.LParen || type === t.LBracket) depth++;
      if (type === t.RParen || type === t.RBracket) {
        depth--;
        afterOperand = true;
      }
      if (type === EOF) return false;
    }
    return true;
  }
}
