;;; codegaze-tests.el --- Tests with the real server  -*- lexical-binding: t -*-

;; emacs -Q --batch -L editors/emacs -l codegaze-tests -f ert-run-tests-batch-and-exit
;; CODEGAZE_DIR is the directory of the program codegaze.

(require 'ert)
(require 'codegaze)

;; Debian's packages of Eglot and lsp-mode, which -Q leaves out.
(dolist (directory (file-expand-wildcards "/usr/share/emacs/site-lisp/elpa-src/*"))
  (add-to-list 'load-path directory t))

(defvar codegaze-tests-program (expand-file-name "codegaze" (getenv "CODEGAZE_DIR")))
(setq codegaze-command (list codegaze-tests-program "lsp" "--stdio"))

(defun codegaze-tests-await (what condition)
  "Wait until CONDITION is true; WHAT is it that was waited for."
  (let ((end (time-add nil 15)))
    (while (not (funcall condition))
      (when (time-less-p end nil) (error "Not within 15 s: %s" what))
      (accept-process-output nil 0.05)
      ;; Nobody is idle in batch mode: what waits for it runs now.
      (when codegaze--timer (timer-event-handler codegaze--timer) (setq codegaze--timer nil)))))

(defun codegaze-tests-heat ()
  "The heat of this buffer: a list of (TEXT . FACE), in order."
  (mapcar (lambda (overlay)
            (cons (buffer-substring-no-properties (overlay-start overlay) (overlay-end overlay)) (overlay-get overlay 'face)))
          (sort (cl-remove-if-not (lambda (overlay) (overlay-get overlay 'codegaze)) (overlays-in (point-min) (point-max)))
                (lambda (a b) (< (overlay-start a) (overlay-start b))))))

(defun codegaze-tests-expected (file)
  "What the command line says of FILE: lexemes with a level, a list of (TEXT . LEVEL)."
  (with-temp-buffer
    (call-process codegaze-tests-program nil t nil "analyze" file "--format" "json" "--model" "embedded")
    (goto-char (point-min))
    (let ((document (json-parse-buffer :object-type 'plist)))
      (cl-loop for lexeme across (plist-get document :lexemes)
               for level = (plist-get lexeme :level)
               when (> level 0)
               collect (cons (plist-get lexeme :text) (aref codegaze--faces (1- level)))))))

(defmacro codegaze-tests-with (text &rest body)
  "Run BODY in a Python buffer with TEXT and the mode, when there is heat."
  (declare (indent 1))
  `(let* ((file (make-temp-file "codegaze" nil ".py" ,text)) (inhibit-message t) (buffer (find-file-noselect file)))
     (unwind-protect
         (with-current-buffer buffer
           (codegaze-mode 1)
           (codegaze-tests-await "heat" #'codegaze-tests-heat)
           ,@body)
       (with-current-buffer buffer (set-buffer-modified-p nil))
       (kill-buffer buffer)
       (delete-file file))))

(defconst codegaze-tests-text "def größe(名前, 😀):\n    \"\"\"Ünïcödé: 😀😀 value.\"\"\"\n    value = 42\n    return value + größe(名前, value)\n")

(ert-deftest codegaze-heat-is-on-the-lexemes-of-the-command-line ()
  (codegaze-tests-with codegaze-tests-text
    (should (equal (codegaze-tests-heat) (codegaze-tests-expected file)))))

(ert-deftest codegaze-heat-leaves-colors-alone ()
  (codegaze-tests-with codegaze-tests-text
    (font-lock-ensure)
    (goto-char (point-min))
    (should (eq (get-text-property (point) 'face) 'font-lock-keyword-face))
    (should (equal (face-foreground 'codegaze-level-5 nil) nil))
    (should (cl-some (lambda (overlay) (overlay-get overlay 'codegaze)) (overlays-in (point-min) (point-max))))))

(ert-deftest codegaze-heat-follows-edits ()
  (codegaze-tests-with codegaze-tests-text
    (let ((before (codegaze-tests-heat)))
      (goto-char (point-max))
      (insert "\ndef another(b):\n    return value * b\n")
      (codegaze-tests-await "heat of the new text" (lambda () (not (equal (codegaze-tests-heat) before))))
      (let ((copy (make-temp-file "codegaze" nil ".py" (buffer-string))))
        (codegaze-tests-await "the heat of the command line"
                              (lambda () (equal (codegaze-tests-heat) (codegaze-tests-expected copy))))
        (delete-file copy))
      (goto-char (point-max))
      (delete-region (point) (save-excursion (forward-line -3) (point)))
      (codegaze-tests-await "the old heat" (lambda () (equal (codegaze-tests-heat) before))))))

(ert-deftest codegaze-narrowing-changes-nothing ()
  (codegaze-tests-with codegaze-tests-text
    (let ((before (codegaze-tests-heat)))
      (goto-char (point-min))
      (forward-line 2)
      (narrow-to-region (point) (line-end-position))
      (codegaze--clear)
      (codegaze--ask-for-heat)
      (codegaze-tests-await "heat" #'codegaze-tests-heat)
      (widen)
      (should (equal (codegaze-tests-heat) before)))))

(ert-deftest codegaze-numbers-at-point ()
  (codegaze-tests-with codegaze-tests-text
    (search-forward "größe")
    (backward-char 2)
    (codegaze-describe)
    (with-current-buffer "*codegaze*"
      (should (string-match-p "größe.*average" (buffer-string)))
      (should (string-match-p "sinks took" (buffer-string))))
    (let (said)
      (codegaze-eldoc-function (lambda (text &rest _) (setq said text)))
      (codegaze-tests-await "ElDoc" (lambda () said))
      (should (string-match-p "größe" said)))))

;; The default colors of font-lock (font-lock.el of Emacs 28) on white and on black.
(defconst codegaze-tests-colors
  '((light "#ffffff" "#000000" "#b22222" "#a020f0" "#0000ff" "#8b2252" "#228b22" "#008b8b" "#a0522d" "#483d8b" "#ff0000")
    (dark "#000000" "#ffffff" "#ff7f24" "#00ffff" "#87cefa" "#ffa07a" "#98fb98" "#7fffd4" "#eedd82" "#b0c4de" "#ffc0cb")))

(defun codegaze-tests-luminance (color)
  "The relative luminance of COLOR, as WCAG 2 defines it."
  (cl-loop for weight in '(0.2126 0.7152 0.0722) for at in '(1 3 5)
           for part = (/ (string-to-number (substring color at (+ at 2)) 16) 255.0)
           sum (* weight (if (<= part 0.04045) (/ part 12.92) (expt (/ (+ part 0.055) 1.055) 2.4)))))

(defun codegaze-tests-contrast (a b)
  "The contrast of the colors A and B, as WCAG 2 defines it."
  (let ((x (+ 0.05 (codegaze-tests-luminance a))) (y (+ 0.05 (codegaze-tests-luminance b))))
    (/ (max x y) (min x y))))

(ert-deftest codegaze-backgrounds-keep-the-contrast-of-text ()
  (dotimes (at 5)
    (let ((spec (face-default-spec (aref codegaze--faces at))))
      (pcase-dolist (`(,kind ,ground . ,colors) codegaze-tests-colors)
        (let ((heat (plist-get (cdr (if (eq kind 'dark) (car spec) (cadr spec))) :background)))
          (should heat)
          (dolist (color colors)
            (when (>= (codegaze-tests-contrast color ground) 4.5)
              (should (>= (codegaze-tests-contrast color heat) 4.5)))))))))

(ert-deftest codegaze-view-and-export ()
  (codegaze-tests-with codegaze-tests-text
    (let ((before (codegaze-tests-heat)) (path (concat (make-temp-name (expand-file-name "codegaze" temporary-file-directory)) ".svg")))
      (codegaze-set-view "" "0" "")
      (codegaze-tests-await "other heat" (lambda () (not (equal (codegaze-tests-heat) before))))
      (codegaze-set-view "" "last" "mean")
      (codegaze-tests-await "the old heat" (lambda () (equal (codegaze-tests-heat) before)))
      (should (member "corrected" codegaze-aggregates))
      (codegaze-set-view "" "" "" "mean")
      (codegaze-tests-await "the heat of means" (lambda () (not (equal (codegaze-tests-heat) before))))
      (codegaze-set-view "" "" "" "corrected")
      (codegaze-tests-await "the old heat" (lambda () (equal (codegaze-tests-heat) before)))
      (codegaze-export path)
      (should (string-prefix-p "<svg" (with-temp-buffer (insert-file-contents path) (buffer-string))))
      (delete-file path))))

(ert-deftest codegaze-the-mode-goes-away ()
  (codegaze-tests-with codegaze-tests-text
    (codegaze-mode -1)
    (should-not (codegaze-tests-heat))
    (codegaze-mode 1)
    (codegaze-tests-await "heat" #'codegaze-tests-heat)
    (codegaze-shutdown)
    (codegaze-tests-await "the mode is off" (lambda () (not codegaze-mode)))
    (should-not (codegaze-tests-heat))))

(ert-deftest codegaze-missing-program-is-named ()
  (with-temp-buffer
    (codegaze-shutdown)
    (let ((codegaze-command '("no-such-codegaze")))
      (should (string-match-p "no-such-codegaze" (cadr (should-error (codegaze-mode 1) :type 'user-error)))))
    (should-not codegaze-mode)))

;;;; The configurations of the README

(defun codegaze-tests-readme (name)
  "Evaluate the README's block of Lisp that has NAME in its first line."
  (with-temp-buffer
    (insert-file-contents (expand-file-name "README.md" (file-name-directory (locate-library "codegaze"))))
    (re-search-forward (concat "^```elisp\n.*" (regexp-quote name)))
    (forward-line 0)
    (let ((start (point)))
      (re-search-forward "^```$")
      (eval (car (read-from-string (concat "(progn " (buffer-substring start (match-beginning 0)) ")"))) t))))

(defmacro codegaze-tests-in-path (&rest body)
  "Run BODY with the program in `exec-path'."
  `(let ((exec-path (cons (getenv "CODEGAZE_DIR") exec-path)) (inhibit-message t))
     ,@body))

(ert-deftest codegaze-with-eglot ()
  (skip-unless (require 'eglot nil t))
  (codegaze-tests-in-path
   (codegaze-tests-readme "eglot")
   (let* ((file (make-temp-file "codegaze" nil ".py" codegaze-tests-text)) (eglot-sync-connect 15))
     (with-current-buffer (find-file-noselect file)
       (apply #'eglot--connect (eglot--guess-contact))
       (goto-char (point-min))
       (search-forward "größe")
       (backward-char 2)
       (let (hover)
         (codegaze-tests-await
          "a hover through Eglot"
          (lambda ()
            (setq hover (jsonrpc-request (eglot--current-server-or-lose) :textDocument/hover (eglot--TextDocumentPositionParams)))
            (string-match-p "average" (format "%S" (plist-get hover :contents))))))
       (eglot-shutdown (eglot-current-server))))))

(ert-deftest codegaze-with-lsp-mode ()
  (skip-unless (require 'lsp-mode nil t))
  (codegaze-tests-in-path
   (codegaze-tests-readme "lsp-mode")
   (let* ((directory (make-temp-file "codegaze" t)) (file (expand-file-name "main.py" directory))
          (lsp-session-file (expand-file-name "session" directory))
          (lsp-auto-configure nil) (lsp-auto-guess-root t) (lsp-enable-suggest-server-download nil) (lsp-keep-workspace-alive nil))
     (with-temp-file file (insert codegaze-tests-text))
     (with-current-buffer (find-file-noselect file)
       (setq-local lsp-enabled-clients '(codegaze))
       (lsp-workspace-folders-add directory)
       (lsp)
       (codegaze-tests-await "lsp-mode's connection"
                             (lambda () (cl-some (lambda (workspace) (eq (lsp--workspace-status workspace) 'initialized))
                                                 (lsp-workspaces))))
       (goto-char (point-min))
       (search-forward "größe")
       (backward-char 2)
       (let (hover)
         (codegaze-tests-await "a hover through lsp-mode"
                               (lambda ()
                                 (setq hover (lsp-request "textDocument/hover" (lsp--text-document-position-params)))
                                 (and hover (string-match-p "average" (prin1-to-string (lsp-get hover :contents)))))))
       (set-buffer-modified-p nil)
       (kill-buffer)))))

(provide 'codegaze-tests)
;;; codegaze-tests.el ends here
