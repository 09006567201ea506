package rloop.ownership;

import com.sun.source.tree.ArrayAccessTree;
import com.sun.source.tree.AssignmentTree;
import com.sun.source.tree.BinaryTree;
import com.sun.source.tree.ConditionalExpressionTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.ParenthesizedTree;
import com.sun.source.tree.SwitchExpressionTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.UnaryTree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.TreePath;
import com.sun.source.util.Trees;
import java.util.List;
import java.util.stream.Stream;
import javax.lang.model.element.Element;
import javax.lang.model.element.ElementKind;
import javax.lang.model.element.ExecutableElement;
import javax.lang.model.element.VariableElement;
import javax.lang.model.type.TypeKind;
import org.jspecify.annotations.Nullable;
import rloop.cpython.api.Owned;

/** Tells of expressions who owns the reference that they give. */
final class Values {
  /** Of what it returns, the mark of the method that stands for it tells. */
  private static final String C_FUNCTION = "rloop.ffi.CFunction";

  private final Trees trees;
  private final TreePath unit;

  Values(Trees trees, TreePath unit) {
    this.trees = trees;
    this.unit = unit;
  }

  /** What a name or a call stands for. */
  @Nullable Element element(Tree tree) {
    return trees.getElement(new TreePath(unit, tree));
  }

  /** The expressions of which a value is one, seen through what passes it through. */
  List<ExpressionTree> sources(ExpressionTree tree) {
    return switch (tree) {
      case ParenthesizedTree inner -> sources(inner.getExpression());
      case AssignmentTree assignment -> sources(assignment.getExpression());
      case ConditionalExpressionTree either ->
          Stream.of(either.getTrueExpression(), either.getFalseExpression())
              .flatMap(one -> sources(one).stream())
              .toList();
      case SwitchExpressionTree choice ->
          choice.getCases().stream()
              .filter(one -> one.getBody() instanceof ExpressionTree)
              .flatMap(one -> sources((ExpressionTree) one.getBody()).stream())
              .toList();
      case BinaryTree flagged when isFlag(flagged) -> sources(flagged.getLeftOperand());
      case MethodInvocationTree call when isCheck(call) -> sources(call.getArguments().getFirst());
      default -> List.of(tree);
    };
  }

  /** Objects are aligned: the lowest bits of a reference may tell of it, as an owner's do. */
  private static boolean isFlag(BinaryTree tree) {
    return tree.getKind() == Tree.Kind.OR || tree.getKind() == Tree.Kind.AND;
  }

  /** {@code PyException.check}: returns its argument, unless that is 0. */
  private boolean isCheck(MethodInvocationTree call) {
    return is(element(call), "rloop.cpython.object.PyException", "check");
  }

  /** Whether a method's class and name are these. */
  static boolean is(@Nullable Element method, String owner, String name) {
    return method != null
        && method.getSimpleName().contentEquals(name)
        && method.getEnclosingElement().toString().equals(owner);
  }

  /** Who owns what one of the {@link #sources} gives. */
  Possession of(ExpressionTree source) {
    return switch (source) {
      case LiteralTree _, UnaryTree _ -> Possession.NEUTRAL;
      case MethodInvocationTree call -> ofResult(element(call));
      case ArrayAccessTree access -> of(access.getExpression());
      default ->
          element(source) instanceof VariableElement variable
              ? ofVariable(variable)
              : Possession.BORROWED;
    };
  }

  private static Possession ofResult(@Nullable Element callee) {
    if (!(callee instanceof ExecutableElement method)) {
      return Possession.BORROWED;
    }
    if (isOwned(method)) {
      return Possession.OWN;
    }
    return method.getReturnType().getKind() == TypeKind.INT || is(method, C_FUNCTION, "call")
        ? Possession.NEUTRAL
        : Possession.BORROWED;
  }

  /** An unmarked local variable is what it is initialised with. */
  Possession ofVariable(VariableElement variable) {
    if (variable.getConstantValue() != null) {
      return Possession.NEUTRAL;
    }
    if (isOwned(variable)) {
      return variable.getKind() == ElementKind.FIELD ? Possession.KEPT : Possession.OWN;
    }
    if (variable.getKind() == ElementKind.LOCAL_VARIABLE
        && trees.getTree(variable) instanceof VariableTree declaration
        && declaration.getInitializer() != null) {
      Possession initial = ofAny(declaration.getInitializer());
      return initial == Possession.NEUTRAL ? Possession.BORROWED : initial;
    }
    return Possession.BORROWED;
  }

  /** Borrowed if it may be that. */
  private Possession ofAny(ExpressionTree tree) {
    Possession result = Possession.NEUTRAL;
    for (ExpressionTree source : sources(tree)) {
      Possession one = of(source);
      if (one == Possession.BORROWED) {
        return one;
      }
      result = one == Possession.NEUTRAL ? result : one;
    }
    return result;
  }

  static boolean isOwned(Element element) {
    return element.getAnnotation(Owned.class) != null;
  }
}
